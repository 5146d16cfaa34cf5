"""Sentence pairs whose entailment is decided by logic: the built-in default for the Transformer.

A sentence is ``quantifier [adjective] noun verb-phrase``: "no small dogs run", "not all animals sleep". Nouns and verbs form
small taxonomies (every puppy is a dog; whoever runs moves; cats and dogs are disjoint). The meaning of a sentence is a statement
of monadic logic over noun phrase A and verb phrase B,

    all A B: nothing is A and not B     no A B: nothing is A and B
    some A B: something is A and B      not all A B: something is A and not B

and both sentences presuppose that something is A. A set of such statements has a model if and only if each "something is ..." is
satisfied by one of the kinds of individuals that the taxonomy and the statements "nothing is ..." allow. This is decided by
listing the kinds (sets of predicates). With premise P and hypothesis H: *entailment* if P and not-H have no model,
*contradiction* if P and H have none, else *neutral*.
"""

import random
from dataclasses import dataclass
from functools import cache
from itertools import product

from empirical.data import Dataset
from empirical.data.text import LABELS, make_dataset
from empirical.declared import Source

DATA = Source("entailment", "sentence pairs", recipe={"base_width": 32, "depth": 2, "learning_rate": 4e-3},
              matched={"learning_rate": 2e-3, "target_loss": 0.3, "epochs": 60})
QUANTIFIERS = {"all": ("no", False), "every": ("no", False), "no": ("no", True), "some": ("some", True),
               "not all": ("some", False), "not every": ("some", False)}  # word: (none or some is A and ..., B or not B)
NOUNS = {"animals": None, "dogs": "animals", "puppies": "dogs", "cats": "animals"}  # noun: the next more general noun
DISJOINT = (("dogs", "cats"),)
ADJECTIVES = ("", "small", "old")
VERBS = {"move": None, "run": "move", "walk": "move", "sleep": None}
DISJOINT_VERBS = (("move", "sleep"),)
MAX_LENGTH, TRAIN, PROBE_FIT, PROBE_SCORE, TEST = 32, 6000, 2000, 800, 800


@dataclass(frozen=True)
class Sentence:
    """Quantifier, adjective (may be empty), noun, verb, and whether the verb is negated ("do not run")."""

    quantifier: str
    adjective: str
    noun: str
    verb: str
    negated: bool

    def __str__(self) -> str:
        words = [self.quantifier, self.adjective, self.noun, "do not" if self.negated else "", self.verb]
        return " ".join(filter(None, words))


def kinds(words: tuple[str, ...], wider: dict[str, str | None], disjoint: tuple[tuple[str, str], ...]) -> list[set[str]]:
    """The sets of predicates that one individual can have, among these words and all more general ones."""
    atoms = sorted({above for word in words for above in _upwards(word, wider)})
    subsets = ({a for a, value in zip(atoms, values) if value} for values in product((False, True), repeat=len(atoms)))
    return [kind for kind in subsets if all(wider[a] is None or wider[a] in kind for a in kind)
            and not any(a in kind and b in kind for a, b in disjoint)]


def _upwards(word: str | None, wider: dict[str, str | None]) -> list[str]:
    return [] if word is None else [word, *_upwards(wider[word], wider)]


@cache
def _noun_phrases(one: tuple[str, str], two: tuple[str, str]) -> set[tuple[bool, bool]]:
    """The possible pairs of truth values of two noun phrases (adjective, noun) for one individual."""
    named = kinds((one[1], two[1]), NOUNS, DISJOINT)
    described = kinds(tuple(filter(None, (one[0], two[0]))), dict.fromkeys(ADJECTIVES), ())

    def fits(phrase: tuple[str, str], kind: set[str], how: set[str]) -> bool:
        adjective, noun = phrase
        return noun in kind and (not adjective or adjective in how)

    return {(fits(one, kind, how), fits(two, kind, how)) for kind in named for how in described}


@cache
def _verb_phrases(one: tuple[str, bool], two: tuple[str, bool]) -> set[tuple[bool, bool]]:
    """The same for two verb phrases (verb, negated)."""
    return {((one[0] in kind) != one[1], (two[0] in kind) != two[1]) for kind in kinds((one[0], two[0]), VERBS, DISJOINT_VERBS)}


def satisfiable(premise: Sentence, hypothesis: Sentence, deny: bool) -> bool:
    """Whether premise and hypothesis (or, with ``deny``, its denial) can be true together."""
    statements = [QUANTIFIERS[premise.quantifier], QUANTIFIERS[hypothesis.quantifier]]
    if deny:
        quantity, sign = statements[1]
        statements[1] = ("some" if quantity == "no" else "no", sign)
    # nouns, adjectives and verbs are independent of each other, so an individual is a pair of patterns
    left = [(a, b)
            for a in _noun_phrases((premise.adjective, premise.noun), (hypothesis.adjective, hypothesis.noun))
            for b in _verb_phrases((premise.verb, premise.negated), (hypothesis.verb, hypothesis.negated))
            if not any(quantity == "no" and a[i] and b[i] == sign for i, (quantity, sign) in enumerate(statements))]
    return all(any(a[i] and (quantity == "no" or b[i] == sign) for a, b in left)
               for i, (quantity, sign) in enumerate(statements))


@cache
def relation(premise: Sentence, hypothesis: Sentence) -> int:
    """Number of the relation in the order of ``text.LABELS``."""
    if not satisfiable(premise, hypothesis, deny=True):
        return LABELS.index("entailment")
    if not satisfiable(premise, hypothesis, deny=False):
        return LABELS.index("contradiction")
    return LABELS.index("neutral")


def generate(count: int, seed: int = 0) -> list[tuple[str, str, int]]:
    """``count`` distinct pairs in random order, with equal numbers of the three relations (up to one)."""
    draw = random.Random(seed)
    wanted = {label: (count + label) // 3 for label in range(3)}
    seen: set[tuple[Sentence, Sentence]] = set()
    pairs: list[tuple[str, str, int]] = []

    def sentence(like: Sentence | None) -> Sentence:
        # hypotheses often share words with their premise, because unrelated sentences are nearly always neutral
        def pick(options, same):
            return same if like is not None and draw.random() < 0.5 else draw.choice(options)
        return Sentence(draw.choice(list(QUANTIFIERS)), pick(ADJECTIVES, like and like.adjective),
                        pick(list(NOUNS), like and like.noun), pick(list(VERBS), like and like.verb),
                        draw.random() < 0.25)

    while len(pairs) < count:
        premise = sentence(None)
        hypothesis = sentence(premise)
        label = relation(premise, hypothesis)
        if wanted[label] and (premise, hypothesis) not in seen:
            wanted[label] -= 1
            seen.add((premise, hypothesis))
            pairs.append((str(premise), str(hypothesis), label))
    draw.shuffle(pairs)  # because pairs of the rarest relation come last
    return pairs


def load(*, train_size: int = 0, max_length: int = 0, split: int = 0, **_) -> Dataset:
    """6,000 pairs for training, 2,000 and 800 for the probe splits, 800 for tests; all distinct, and different for each split."""
    pairs = generate(TRAIN + PROBE_FIT + PROBE_SCORE + TEST, split)
    return make_dataset("entailment (generated)", pairs[:-TEST], pairs[-TEST:], train_size=train_size,
                        max_length=max_length or MAX_LENGTH, probe_fit=PROBE_FIT, probe_score=PROBE_SCORE,
                        vocabulary=512, split=split, facts={"source": "generated"})
