"""From evidence to a verdict.

``rule``        what a claim says of its statistic: where it holds, and what counts as no effect
``pieces``      the tests of each piece of evidence, with the error shared among the pieces of a column
``pool``        the mean over settings, where there are enough of them
``moderators``  whether a declared attribute separates the settings
``decide``      the verdict of a column, and of a claim
``power``       what would settle what is open
``spending``    more looks at growing data, declared before, without more error
``words``       verdicts in sentences, with their scope
"""

from theory.verdict.rule import Rule

__all__ = ["Rule"]
