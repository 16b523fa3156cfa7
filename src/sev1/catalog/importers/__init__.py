"""Other products' configuration as a catalog: text in, catalog objects and a report out. No network, no clock, no files.

draft          the objects and the report while they are made; names without clashes
sources        the JSON of APIs and exports, taken apart; whose file it is
export         several files of one product read together; what pagerduty, opsgenie and grafana_oncall share
turns, lanes   rotations by the clock on the wall; several people on call at once
alertmanager…  one module or a few per product
written        the objects as YAML
"""
