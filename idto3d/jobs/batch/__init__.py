"""Heads of many people: a table in, a run folder a person out, on this machine or on a cluster."""
