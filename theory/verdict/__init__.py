"""From evidence to a verdict.

``rule``        the bounds of a claim: where it holds, and what counts as no effect
``pieces``      the tests of each piece of evidence, with the error shared among the pieces of a column
``pool``        the mean over settings, if there are enough of them
``moderators``  whether a declared attribute separates the settings
``decide``      the verdict of a column, and of a claim
``power``       how many replicas would settle an open claim
``spending``    further looks at growing data, declared beforehand, at a bounded additional error
``words``       verdicts in sentences, with their scope
"""

from theory.verdict.rule import Rule

__all__ = ["Rule"]
