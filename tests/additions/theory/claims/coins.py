"""A claim about coins."""

from theory.claims import Claim, Rule

CLAIMS = Claim("s0.coins-are-fair", "S0, of all places", "A fair coin shows heads as often as tails.", "share of heads",
               "a coin that is not fair", Rule(above=0.3, below=0.7), ("toy",))
