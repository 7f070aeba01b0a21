"""The demo: an invented school district, an invented company, and what they own at the fake Apple.

    blueprint   the words in which the two are described
    district    the school district: people, devices, locations
    company     the organization that has to stay invisible
    tenant      the rows of an organization
    store       what is bought and assigned at the fake Apple, through its control API
    grants      licenses that were granted here, and devices that wait
    invitations how people came to their accounts, and who has not accepted yet
    wished      what the district deploys where
    deploying   its apps, scopes and redemption codes
    fleet       the simulated fleet, with most apps installed
    leaving     devices that have left, and what could be taken back
    history     invented counts of the days before the demo existed
    facts       what programs are told: addresses, sign-ins, keys
    refusals    why it cannot be made
    seeding     all of it in order, and only what is missing

Everything in here is made up. Nothing of it is used outside the demo.
"""
