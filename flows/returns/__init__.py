"""The front-door extract: what a hub's log and people's tables say for the Children in Need census and for Ofsted's Annex A, for
case management to take over. It is validated, and is not the statutory return: plans and their reviews live elsewhere."""
