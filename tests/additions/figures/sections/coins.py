"""Are coins fair?"""

from figures.section import Section, picture
from figures.style import canvas


def draw(tables):
    with canvas(1) as (figure, axis):
        axis.plot(tables["coin"].frame.tosses, tables["coin"].frame.heads, "o")
        yield picture(figure, "Heads against tosses", "Every repetition.", "coin")


SECTION = Section(id="coins", title="Fair coins", question="Are coins fair?", method="We toss them.", studies=("coin",),
                  draw=draw, claims=("s0.coins",), order=5)
