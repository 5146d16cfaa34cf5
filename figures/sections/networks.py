"""Success, tickets, memorising and double descent in small real networks, the counterparts of the toy models."""

from functools import partial

from figures.findings import paragraphs
from figures.section import Section
from figures.sections.network_pictures import PICTURES
from figures.sections.network_words import STUDIES, SUBJECTS


def draw(tables):
    """Every picture whose tables exist."""
    for pictures in PICTURES:
        yield from pictures(tables)


SECTION = Section(
    order=75, id="networks",
    title="Escape, memorising and double descent in small real networks",
    question="Do the exact results for toy models (success by width, tickets, index, memorising, double descent) carry over to "
        "digits and MNIST?",
    method="One-hidden-layer networks with 4 to 512 units are trained by the same loop as the large networks; tickets and double "
        "descent are also measured in small convolutional networks. A run succeeds if it fits every training sample; a wide "
        "network is compared with several narrow ones of the same total size. Curvatures come from Hessian-vector products; "
        "critical points are minima of the gradient's norm, and count only below a stated norm. Narrow networks are widened by "
        "splitting units, which preserves the function, or by adding new units. Memorising is tested with true labels, random "
        "labels, and noise in place of images. The smallest adversarial change lies between a step that provably does not change "
        "the class and a step that does.",
    studies=STUDIES,
    draw=draw,
    findings=partial(paragraphs, SUBJECTS),
    claims=("s2.final-ascent", "s2.second-descent-by-epochs", "s2.barriers", "s2.split-units", "s2.negative-curvature",
            "s2.wide-fits", "s3.minimisers", "s3.random-labels", "s3.noise", "s3.answers", "s3.width-moves", "s3.larger-steps"),
    change_our_mind="Test errors that do not depend on width, or failures as frequent in wide networks as in narrow ones.",
)
