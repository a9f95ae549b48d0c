"""Carrying referrals: the flow, the worker and what watches over both."""
