"""The store's shelf: invented titles of the sort that a school district owns."""

from functools import partial
from typing import Any

from vpp_accounts.apple.fake.titles import MAC, TV, UNIVERSAL, Title

ipad = partial(Title, ipad_only=True)
mac = partial(Title, platforms=MAC, minimum_os="13.0")
tv = partial(Title, platforms=TV)
universal = partial(Title, platforms=UNIVERSAL)
vision = partial(Title, platforms=("visionOS",), minimum_os="1.0")
free = partial(Title, unlimited=True)


def book(adam_id: str, name: str, author: str, **more: Any) -> Title:
    shelf: dict[str, Any] = {"genre": "Textbooks", "glyph": "book", "device_assignable": False}
    kind: dict[str, Any] = {"product_type": "Book", "platforms": UNIVERSAL}
    return Title(adam_id, name, author, **(shelf | kind | more))


_SHELF = (
    # iPhone and iPad, bought
    Title("1187400216", "Tidepool Math", "Tidepool Learning", "com.tidepoollearning.math", price=4.99, glyph="plus", version="6.2.1"),
    Title("1187400351", "Fraction Harbor", "Tidepool Learning", "com.tidepoollearning.fractions", price=2.99, glyph="pie", version="3.4"),
    Title("1203518844", "Wordgrove Spelling", "Wordgrove Ltd", "co.wordgrove.spelling", price=3.99, glyph="leaf", version="8.0.2"),
    Title("1203518907", "Wordgrove Phonics", "Wordgrove Ltd", "co.wordgrove.phonics", price=3.99, glyph="speech", version="5.1"),
    Title("1264077130", "Periodic Lab", "Beaker & Sons", "com.beakerandsons.periodiclab", price=1.99, glyph="flask", version="4.0.3"),
    Title("1299413582", "Skyward Planetarium", "Northlight Studio", "studio.northlight.skyward", price=5.99, genre="Reference", glyph="orbit", version="11.3"),
    Title("1310226475", "Chord Garden", "Minor Third", "fm.minorthird.chordgarden", price=7.99, genre="Music", glyph="note", version="2.9"),
    Title("1345590028", "Atlas of Rivers", "Meridian Maps", "com.meridianmaps.rivers", price=2.99, genre="Reference", glyph="pin", version="1.12"),
    Title("1378112960", "Kindling Code", "Kindling Software", "com.kindlingsoftware.code", price=9.99, glyph="code", version="3.0"),
    Title("1402887713", "Quiet Timer for Classrooms", "Bellwether Apps", "app.bellwether.quiettimer", price=0.99, genre="Productivity", glyph="clock", version="7.1.1"),
    Title("1421069334", "Bright Signs AAC", "Bright Signs Foundation", "org.brightsigns.aac", price=249.99, glyph="speech", version="10.4"),
    ipad("1436650871", "Lumen Sketch for iPad", "Lumen Graphics", "com.lumengraphics.sketch", price=12.99, genre="Graphics & Design", glyph="pencil", version="5.5.2"),
    ipad("1440931205", "Storyboard Theater", "Lantern Row", "com.lanternrow.storyboard", price=4.99, glyph="play", version="2.2"),
    ipad("1457206698", "Handwriting Trails", "Little Loops", "com.littleloops.trails", price=3.99, glyph="pencil", version="4.7", minimum_os="26.0"),
    ipad("1468834217", "Frog Dissection Studio", "Beaker & Sons", "com.beakerandsons.frog", price=6.99, glyph="flask", version="3.3"),
    # free, with a fixed number of licenses
    Title("1122360947", "Inkwell Notes", "Inkwell Works", "com.inkwellworks.notes", genre="Productivity", glyph="pencil", version="14.2"),
    Title("1134478820", "Hall Pass", "Bellwether Apps", "app.bellwether.hallpass", glyph="check", version="5.0.1"),
    Title("1148812063", "Campus Bus", "Redwood Transit", "com.redwoodtransit.campusbus", genre="Travel", glyph="pin", version="2.8"),
    Title("1156093471", "Lunchline", "Redwood Kitchens", "com.redwoodkitchens.lunchline", genre="Food & Drink", glyph="bars", version="3.1"),
    Title("1169924508", "Reading Log", "Wordgrove Ltd", "co.wordgrove.readinglog", glyph="book", version="6.6"),
    Title("1173350286", "Spanish in Ten", "Polyglot House", "house.polyglot.spanish", glyph="globe", version="9.4.1"),
    Title("1180027394", "Debate Clock", "Bellwether Apps", "app.bellwether.debate", glyph="clock", version="1.9"),
    universal("1192246035", "Shared Whiteboard", "Inkwell Works", "com.inkwellworks.whiteboard", genre="Productivity", glyph="grid", version="4.4"),
    universal("1215587760", "Data Garden", "Northlight Studio", "studio.northlight.datagarden", price=14.99, glyph="bars", version="2.0.1"),
    universal("1228840912", "Score Reader", "Minor Third", "fm.minorthird.scorereader", price=9.99, genre="Music", glyph="note", version="3.8"),
    # free, without a limit
    free("1092235680", "Classroom Camera", "Bellwether Apps", "app.bellwether.camera", genre="Photo & Video", glyph="camera", version="12.0"),
    free("1098840317", "District Mail", "Postbridge", "com.postbridge.districtmail", genre="Business", glyph="mail", version="20.3.1"),
    free("1101174459", "Meet & Teach", "Postbridge", "com.postbridge.meet", genre="Business", glyph="camera", version="18.7"),
    free("1107760238", "Open Library Reader", "Open Shelf Project", "org.openshelf.reader", genre="Books", glyph="book", version="7.7"),
    # Mac
    mac("1512209973", "Lumen Layout", "Lumen Graphics", "com.lumengraphics.layout", price=49.99, genre="Graphics & Design", glyph="grid", version="9.1"),
    mac("1520048816", "Clipcutter Pro", "Lantern Row", "com.lanternrow.clipcutter", price=199.99, genre="Video", glyph="play", version="10.8"),
    mac("1533371290", "Kindling Code Studio", "Kindling Software", "com.kindlingsoftware.studio", price=29.99, genre="Developer Tools", glyph="code", version="4.2"),
    mac("1547719602", "Timetable Builder", "Bellwether Apps", "app.bellwether.timetable", price=89.99, genre="Productivity", glyph="grid", version="3.5.4"),
    mac("1551160478", "Menu Bar Timer", "Bellwether Apps", "app.bellwether.menubar", genre="Utilities", glyph="clock", version="2.1"),
    # Apple TV and Apple Vision
    tv("1604482019", "Lobby Signage", "Lantern Row", "com.lanternrow.lobby", price=19.99, genre="Business", glyph="screen", version="5.2"),
    tv("1611937755", "Yoga Break for Classrooms", "Little Loops", "com.littleloops.yogabreak", genre="Health & Fitness", glyph="sun", version="1.6"),
    vision("1688204316", "Inside the Cell", "Beaker & Sons", "com.beakerandsons.cell", price=24.99, glyph="orbit", version="1.3"),
    # the odd ones
    Title("1702258834", "Redwood District Directory", "Riverside Unified School District", "org.redwoodusd.directory", genre="Business", glyph="people", custom=True, version="3.0.7"),
    Title("1709916540", "Redwood Bus Driver Log", "Riverside Unified School District", "org.redwoodusd.driverlog", genre="Business", glyph="check", custom=True, listed=False, version="1.1"),
    Title("984420117", "Retired Flash Cards", "Old Slate Software", "com.oldslate.flashcards", price=0.99, listed=False, version="2.0"),
    Title("1733640259", "Pocket Ledger for Treasurers", "Ledgerline", "com.ledgerline.pocket", price=4.99, genre="Finance", glyph="lock", device_assignable=False, version="6.3"),
    Title("1740095528", "State Test Browser", "Assessment Trust", "org.assessmenttrust.browser", genre="Education", glyph="lock", countries=("US",), version="8.8"),
    # books, in one or two qualities
    book("1801147365", "Biology: Life in Layers", "Marisol Vance", price=14.99, editions=("STDQ", "PLUS")),
    book("1803362914", "A Short History of the River Valley", "Thomas Okafor", price=9.99, editions=("STDQ", "PLUS")),
    book("1807751082", "Algebra, Step by Step", "Ingrid Halloran", price=11.99),
    book("1812290647", "The Lighthouse Keeper's Notebook", "Ana Petrović", price=4.99, genre="Fiction"),
    book("1819903358", "Field Guide to Schoolyard Birds", "Open Shelf Project", genre="Nature"),
)  # fmt: skip

CATALOGUE = {title.adam_id: title for title in _SHELF}
