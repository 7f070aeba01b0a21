"""Automatic licensing: an app's scope decides, and licenses follow (docs/automation.md).

changes      what has to be looked at, and calling a worker to it: `request`
hearing      who announces that something changed
news         which apps licenses, titles and people concern
engine       one worker's turn at one organization: `run`
evaluating   many scopes over many devices
membership   who is in scope, written to installations
reconciling  one app: what is asked for, taken back, written down
excess       what a rule gave and nobody wants any more
holds        what waits for a person to decide: `decide`
guard        when that is
pausing      of a whole organization
counting     the counts of apps: `recount`
preview      what saving an app would do: `Draft`, `preview`, `clients`, `outcomes`, `is_worse`
surveying, losing, hints   what a preview is made of
facts        what a decision needs, gathered
known, choosing, asking, standing   the decisions, as pure functions
acting       batches, cancelled items, installations that move on
sources      the titles that an app draws from
wanting      who wants a license of an Adam ID, in SQL
words, steps who acts, what is said, and where a worker may die
"""
