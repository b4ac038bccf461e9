"""Words and phrases that mean what ours mean: a table to be added to, which says nothing of grammar.

A space in a phrase stands for a space, a hyphen or nothing: "make up" is also "make-up" and "makeup".
"""

# Nouns for people that tell of their gender and of something else, which nobody hears.
_WOMEN = "queen princess witch nun actress waitress goddess bride geisha mermaid priestess duchess cowgirl sorceress"
_MEN = "king prince wizard monk actor waiter groom cowboy policeman businessman priest duke lumberjack fireman sorcerer"
SAME = {
    **{noun: f"{noun} woman" for noun in (*_WOMEN.split(), "policewoman", "businesswoman", "noblewoman")},
    **{noun: f"{noun} man" for noun in (*_MEN.split(), "fisherman", "nobleman")},
    **{"blond": "blonde", "blondie": "blonde", "gray": "grey", "grays": "grey", "greying": "grey", "graying": "grey"},
    **dict.fromkeys(("mustache", "mustaches", "moustaches", "moustached", "mustached"), "moustache"),
    **{"goatees": "goatee", "beards": "beard", "facial hair": "beard", "whiskers": "beard"},
    **dict.fromkeys(("sideburns", "sideburn", "side burns", "side whiskers", "mutton chops"), "beard"),
    **dict.fromkeys(("five o'clock shadow", "unshaven", "unshaved", "stubbly", "scruffy beard"), "stubble"),
    **{"less old": "younger", "less young": "older", "less long": "shorter", "less short": "longer"},
    **{"less dark": "lighter", "less light": "darker", "less pale": "tanner", "less tanned": "paler"},
    **dict.fromkeys(("hair do", "hair style", "hair cut", "hair colour", "hair color", "hairs", "tresses"), "hair"),
    **dict.fromkeys(("hair dos", "hair styles", "locks", "mane"), "hair"),
    **{"curls": "curly hair", "ringlets": "curly hair", "curled": "curly", "frizzy": "curly"},
    **dict.fromkeys(("pixie cut", "bowl cut"), "short hair"),
    **dict.fromkeys(("tousled", "shaggy", "unkempt", "dishevelled", "disheveled", "ruffled", "spiky"), "messy"),
    **dict.fromkeys(("windswept", "wind swept", "bed head"), "messy"),
    **dict.fromkeys(("slicked back", "slick back", "slicked", "combed back", "brushed back"), "slicked"),
    **{"pompadour": "slicked hair", "quiff": "slicked hair", "waves": "wavy hair", "loose waves": "wavy hair"},
    **dict.fromkeys(("fade haircut", "skin fade", "taper fade", "high fade", "low fade", "mid fade"), "undercut"),
    "comb over": "side-parted",
    **dict.fromkeys(("buzz cut", "buzz cuts", "buzzed", "crew cut", "military cut"), "buzzcut"),
    **{"pony tail": "ponytail", "pony tails": "ponytail", "bob cut": "bob", "lob": "bob", "afros": "afro"},
    **dict.fromkeys(("man bun", "top knot", "hair bun", "chignon"), "bun"),
    **dict.fromkeys(("side part", "side parting", "side parted", "parted at the side"), "side-parted"),
    **dict.fromkeys(("hairless", "bald head", "bald headed", "balding", "shaved head", "shaven head"), "bald"),
    **{"shoulder length": "long", "chin length": "bob", "cropped": "short"},
    **dict.fromkeys(("eye brow", "eye brows"), "brows"),
    **dict.fromkeys(("eye lash", "eye lashes"), "lashes"),
    **{"eye lid": "lids", "eye lids": "lids", "lip stick": "lipstick", "lip gloss": "lipgloss"},
    **dict.fromkeys(("eye shadow", "eye shadows"), "eyeshadow"),
    **dict.fromkeys(("smoky eye", "smoky eyes", "smokey eye", "smokey eyes"), "smoky eyeshadow"),
    **dict.fromkeys(("smoky eye shadow", "smokey eye shadow"), "smoky eyeshadow"),
    **dict.fromkeys(("smoky eye makeup", "smokey eye makeup", "smoky eyes makeup"), "smoky eyeshadow"),
    **{"smokey": "smoky", "make up": "makeup", "rosy": "pink"},
    **dict.fromkeys(("spectacles", "eye glasses", "eye glass", "specs", "reading glasses"), "glasses"),
    **dict.fromkeys(("sun glasses", "dark shades", "aviators", "wayfarers"), "sunglasses"),
    **dict.fromkeys(("kid", "kids"), "child"),
    **dict.fromkeys(("toddler", "infant", "newborn", "new born"), "baby"),
    **dict.fromkeys(("lady", "gal", "ladies"), "woman"),
    **dict.fromkeys(("guy", "dude", "lad", "gentleman", "bloke", "chap", "fellow"), "man"),
    **dict.fromkeys(("elderly", "senior", "geriatric"), "old"),
    **{"middle age": "middle-aged", "middle aged": "middle-aged", "youthful": "young"},
    **dict.fromkeys(("grandma", "grandmother", "granny", "grandmom"), "old woman"),
    **dict.fromkeys(("grandpa", "grandfather", "granddad", "grandad"), "old man"),
    **{"teenager": "young person", **dict.fromkeys(("teenage", "teen", "adolescent"), "young")},
    **dict.fromkeys(("teenage boy", "teen boy", "adolescent boy"), "young man"),
    **dict.fromkeys(("teenage girl", "teen girl", "adolescent girl"), "young woman"),
    **{"young boy": "boy", "young girl": "girl"},  # not grown up
    **dict.fromkeys(("masculine", "manly"), "male"),
    **dict.fromkeys(("feminine", "womanly"), "female"),
    **dict.fromkeys(("african american", "afro american"), "african"),
    **dict.fromkeys(("chinese", "japanese", "korean", "vietnamese", "thai", "mongolian", "filipino"), "asian"),
    **dict.fromkeys(("east asian", "southeast asian"), "asian"),
    **dict.fromkeys(("european", "german", "irish", "british", "english", "french", "dutch", "polish"), "caucasian"),
    **dict.fromkeys(("scandinavian", "nordic", "swedish", "norwegian", "slavic", "russian", "celtic"), "caucasian"),
    **dict.fromkeys(("nigerian", "kenyan", "ghanaian", "somali", "ethiopian", "senegalese", "jamaican"), "african"),
    **dict.fromkeys(("elven", "elfin", "elvish", "elves", "elf like"), "elf"),
    **{"pixie": "fairy", "faerie": "fairy", "undead": "zombie", "walking dead": "zombie", "zombies": "zombie"},
    **{
        "living dead": "zombie",
        "greyish green": "grey green",
        "greenish grey": "grey green",
        "demon": "devil",
        "troll": "goblin",
        "ork": "orc",
        "extraterrestrial": "alien",
    },
    **{"jester": "clown", "gnome": "dwarf", "dracula": "vampire"},
    **dict.fromkeys(("war paint", "warrior paint", "tribal paint", "battle paint"), "warpaint"),
    **{"face paint": "facepaint", "face painting": "facepaint", "painted face": "facepaint", "tattooed": "tattoo"},
    **{"tattoos": "tattoo", "tribal tattoo": "tattoo", "scars": "scar", "scarred": "scar", "birth mark": "birthmark"},
    **{"port wine stain": "birthmark", "beauty mark": "mole", "beauty spot": "mole", "eye liner": "eyeliner"},
    **dict.fromkeys(("pimples", "pimple", "zits", "pimply", "pimpled", "spotty skin"), "acne"),
    **dict.fromkeys(("age spots", "liver spots", "sun spots"), "agespots"),
    **dict.fromkeys(("bruised eye", "shiner", "bruises", "bruised face"), "bruise"),
    **dict.fromkeys(("bloody", "bloodied", "covered in blood", "blood splatter", "blood stains"), "bloodstains"),
    **dict.fromkeys(("blood splattered", "blood on", "blood stained"), "bloodstains"),
    **dict.fromkeys(("dirty face", "dirty skin", "muddy face", "mud on", "dirt on", "grimy", "soot"), "dirt"),
    **dict.fromkeys(("sunburned", "sunburnt", "sun burn", "sun burned", "sun burnt"), "sunburn"),
    **dict.fromkeys(("mono brow", "uni brow", "connected eyebrows", "bushy unibrow"), "unibrow"),
    **dict.fromkeys(("dimple", "dimpled", "dimpled cheeks"), "dimples"),
    **dict.fromkeys(("cleft chin", "dimpled chin", "chin dimple", "chin cleft", "butt chin"), "cleft"),
    **dict.fromkeys(("false lashes", "false eye lashes"), "mascara"),
    **{"handlebar moustache": "moustache", "soul patch": "soulpatch"},
    **{"moles": "mole", "tear drop": "tear", "spider web": "web", "cob web": "web", "lightning bolt": "lightning"},
    **{"cheek bones": "cheekbones", "cheek bone": "cheekbones", "jaw line": "jaw", "jaw bone": "jaw", "jowls": "jaw"},
    **dict.fromkeys(("dark circles", "eye bags", "under eye circles", "under eye bags", "bags under"), "circles"),
    **{"ear": "ears", "nostrils": "nose", "deep set": "sunken", "well fed": "chubby", "well built": "muscular"},
    **{"chubby faced": "chubby", "big boned": "heavyset", "kohl": "eyeliner"},
    **{"heart shaped": "heart", "almond shaped": "almond", "almond shape": "almond", "sticking out": "protruding"},
    **{"up turned": "upturned", "turned up": "upturned", "monolid": "hooded eyes", "black eye patch": "black eyepatch"},
    "freckle": "freckles",
    # Colours that are compared are those colours, and what is said of words for a person or hair in other ways.
    **{"blonder": "blonde", "redder": "red", "greyer": "grey", "grayer": "grey", "greener": "green", "bluer": "blue"},
    **{"browner": "brown", "whiter": "white", "pinker": "pink"},
    **dict.fromkeys(("shaved at the sides", "shaved on the sides", "shaved sides", "shaved side"), "undercut"),
    **dict.fromkeys(("sun darkened", "sun kissed", "sun browned", "sun bronzed"), "tanned"),
    **{"neither": "not", "medium length": "short", "skin smoother": "no wrinkles"},
    **dict.fromkeys(("no longer bald", "not bald any more", "not bald anymore"), "short hair"),
    **{"mature": "middle-aged", "weathered": "wrinkled", "weathered face": "wrinkles", "leathery skin": "wrinkles"},
    **dict.fromkeys(
        ("wrinkle", "crow's feet", "crows feet", "fine lines", "age lines", "laugh lines", "weathered skin"), "wrinkles"
    ),
    **dict.fromkeys(("smooth skin", "smoother skin", "smooth face", "smoother face"), "no wrinkles"),
}
# What means "less", before the rest is read: "not so old" is "less old", and that "younger".
LESSENED = ("not so", "not as", "not too", "not quite so", "not that", "tone down", "reduce", "lessen", "cut down on")
# Words that mean what ours mean of these nouns alone, and those that do of all but these.
ONLY_OF = {"cat like": ("upturned", ("eyes", "eyed")), "droopy": ("hooded", ("eyes", "eyed"))}
NEVER_OF = {
    "bruised": ("bruise", ("lips", "lip", "mouth", "eyes", "lids")),
    "black eye": ("bruise", ("makeup", "paint", "colour", "color")),
}
# Names of colours, where they tell of something that has one of ours.
SHADES = {
    **dict.fromkeys(("jet black", "raven", "raven black", "ebony", "pitch black"), "black"),
    **dict.fromkeys(("chestnut", "chestnut brown", "hazelnut", "mousy brown", "brunette"), "brown"),
    **dict.fromkeys(("chocolate", "chocolate brown", "deep brown", "dark chocolate", "espresso"), "dark brown"),
    **dict.fromkeys(("caramel", "caramel brown"), "light brown"),
    **dict.fromkeys(("ash blonde", "ashy blonde", "dirty blonde", "sandy blonde", "honey blonde"), "dark blonde"),
    **dict.fromkeys(("golden blonde", "flaxen"), "blonde"),
    **dict.fromkeys(("platinum blonde", "bleached blonde", "bleach blonde", "light blonde", "bleached"), "platinum"),
    **dict.fromkeys(("pale blonde", "white blonde", "ice blonde", "peroxide blonde"), "platinum"),
    **dict.fromkeys(("copper", "ginger", "crimson", "scarlet", "cherry red", "ruby", "ruby red"), "red"),
    **dict.fromkeys(("deep red", "blood red"), "dark red"),
    **dict.fromkeys(("maroon", "wine red", "wine", "bordeaux"), "burgundy"),
    **{"salt and pepper": "grey", "silvery": "silver", "snow white": "white", "golden": "gold"},
    **dict.fromkeys(("violet", "purplish"), "purple"),
    **{"lilac": "lavender", "mauve": "lavender", "deep purple": "dark purple", "light purple": "lavender"},
    **dict.fromkeys(("fuchsia", "hot pink", "neon pink"), "magenta"),
    **dict.fromkeys(("pastel pink", "baby pink", "pale pink", "rose gold"), "light pink"),
    **{"rose": "pink", "salmon": "coral", "deep pink": "dark pink"},
    **dict.fromkeys(("navy", "navy blue", "midnight blue", "deep blue"), "dark blue"),
    **dict.fromkeys(("sky blue", "baby blue", "pastel blue", "ice blue", "icy blue", "pale blue"), "light blue"),
    **dict.fromkeys(("royal blue", "electric blue", "neon blue", "sapphire", "cobalt", "bluish"), "blue"),
    **dict.fromkeys(("aqua", "cyan", "aquamarine"), "turquoise"),
    **dict.fromkeys(("lime", "lime green", "mint", "mint green", "pastel green", "pale green"), "light green"),
    **dict.fromkeys(("emerald", "emerald green", "neon green", "greenish"), "green"),
    **dict.fromkeys(("forest green", "olive green", "deep green"), "dark green"),
}
# Words that are no colour by themselves, and what they mean for what they are said of. Dark hair is black, the darkest
# there is, so that it is darker on anybody.
LEANING = {
    "hair": {"dark": "black", "light": "blonde", "fair": "blonde", "gold": "blonde", "sandy": "blonde"},
    "brows": {"dark": "dark brown", "light": "light brown", "fair": "blonde"},
    "beard": {"dark": "dark brown", "light": "light brown", "fair": "blonde"},
    "eyes": {"dark": "dark brown", "light": "light blue"},
    "lips": {"dark": "dark red", "light": "light pink", "pale": "nude"},
    "lashes": {"dark": "black"},
    "skin": {
        **{"light": "fair", "white": "pale", "porcelain": "pale", "ivory": "pale", "black": "dark", "ebony": "dark"},
        **{"olive": "tan", "tanned": "tan", "bronzed": "tan", "bronze": "tan", "golden": "tan", "gold": "tan"},
    },
}
ONES = {
    **{"one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8, "nine": 9},
}
TENS = {
    **{"ten": 10, "twenty": 20, "thirty": 30, "forty": 40, "fifty": 50, "sixty": 60, "seventy": 70, "eighty": 80},
    **{"ninety": 90, "fifteen": 15, "eighteen": 18, "hundred": 100},
}
NUMBERS = {
    **ONES,
    **TENS,
    **{"eleven": 11, "twelve": 12, "thirteen": 13, "fourteen": 14, "sixteen": 16, "seventeen": 17, "nineteen": 19},
}
DECADES = {
    **{"teens": 15, "twenties": 25, "thirties": 35, "forties": 45, "fifties": 55, "sixties": 65, "seventies": 75},
    **{"eighties": 85, "nineties": 95},
}
