"""Redemption codes of old orders: read from Apple's spreadsheet, handed out, never bought.

reading      what a sheet says, whatever its form
importing    a sheet is uploaded, looked at, confirmed
handing_out  one code each, by mail (letters)
changing     shown, redeemed, taken back, deleted
counting     how many there are, and who has none
forgetting   what an erased person leaves behind

Apple tells nobody whether a code was redeemed: a later sheet says so, or a person.
"""
