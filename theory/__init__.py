"""The ground floor: what is defined and derived. Measures, formulas, predictions and the register of claims."""
