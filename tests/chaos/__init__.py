"""Faults on one machine while people work: ``make chaos``. What is promised is counted afterwards in SQL."""
