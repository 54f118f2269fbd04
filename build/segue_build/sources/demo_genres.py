"""The genres of the invented catalogue: how each tends to sound, and the words of its titles.

Neighbours in the table are relatives, and the last row is a neighbour of the first. Its columns are typical
values: ``dance energy talk acoust instr live happy`` in percent, ``loud`` in decibels, ``bpm`` in beats per
minute, ``min`` the length in minutes, ``pop`` the popularity in 0..100. ``vary`` is how far songs stray from
them (1 = as usual); ``major``, ``waltz`` and ``adult`` the percentages of songs in a major key, in three-four
time, and explicit; ``from`` the earliest year; ``sung`` the language of many titles.
"""

import math
from itertools import product

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

GENRE_TABLE = """\
genre             dance energy loud talk acoust instr live happy bpm min  pop vary major waltz adult from sung
ambient              28     18  -23    4     80    82   11    14  92 5.2   24 0.90    60    10     0 1978   en
drone                18     26  -22    5     48    90   12     8  84 8.0   12 0.90    45     8     0 1972   en
new age              33     21  -20    4     86    66   12    22  98 4.5   20 0.90    68    16     0 1975   en
classical            31     16  -23    4     96    80   13    27 100 4.8   16 1.05    66    26     0 1955   en
opera                27     29  -16    6     93    12   22    20  96 4.2   13 0.90    62    26     0 1955   en
chanson              49     40  -11    7     74     2   17    45 112 3.3   26 0.95    58    22     2 1955   fr
rebetiko             54     45  -11    6     83     3   18    58 110 3.4   14 0.85    35    10     0 1955   el
tango                52     36  -13    6     89    20   17    50 116 3.0   16 0.85    42     9     0 1955   es
bossa nova           58     33  -14    4     83     7   12    57 112 3.1   29 0.80    58     4     0 1959   pt
samba                62     68   -9    7     57     2   39    77 116 3.4   24 0.80    64     2     1 1958   pt
salsa                68     74   -7    6     47     1   20    83 102 4.6   29 0.75    54     2     0 1967   es
cumbia               76     68   -7    6     34     4   16    84  96 3.4   31 0.75    56     2     2 1963   es
reggaeton            77     75   -5   11     18     0   16    64  95 3.3   50 0.75    50     1    32 1999   es
reggae               77     57   -8   11     18     2   14    74  82 3.8   33 0.80    60     2     6 1968   en
dub                  74     49  -11   10     15    58   13    60  76 4.6   17 0.85    47     2     2 1972   en
ska                  60     83   -6    7      8     3   23    79 150 3.0   25 0.80    74     2     5 1962   en
punk                 45     90   -5    8      2     1   25    56 168 2.4   28 0.80    76     2    19 1976   en
death metal          30     95   -5   11      1    22   24    19 142 4.1   21 0.80    42     5    14 1987   en
metal                41     90   -5    7      2     8   23    31 128 4.8   33 0.90    48     4    10 1974   en
hard rock            47     82   -6    6      5     2   22    50 126 4.2   36 0.85    68     3     6 1969   en
psychedelic rock     44     62   -9    5     20    22   19    46 118 4.9   27 1.10    64     8     3 1966   en
indie rock           52     72   -7    5     11     6   17    51 126 3.7   37 0.95    70     4     7 1986   en
indie pop            60     60   -8    5     25     5   14    55 120 3.5   41 0.95    72     4     6 1990   en
singer-songwriter    53     37  -11    4     69     2   12    37 112 3.7   40 0.95    80    10     4 1968   en
folk                 50     32  -13    4     82     5   13    41 110 3.6   28 0.95    80    15     1 1960   en
bluegrass            54     52  -10    4     80     9   19    69 132 3.1   21 0.85    88     8     0 1956   en
country              58     62   -8    4     31     0   15    58 120 3.4   41 0.85    88     9     2 1956   en
blues                54     45  -11    5     57     5   23    56 102 3.9   22 0.95    70    10     1 1956   en
jazz                 49     33  -14    5     82    42   16    47 108 5.0   18 1.10    54    10     0 1955   en
soul                 61     49  -10    5     48     1   15    58 102 3.6   30 0.90    60     7     2 1961   en
gospel               45     59   -8    6     42     0   37    46 108 4.7   21 0.95    82    10     0 1960   en
r&b                  68     54   -8    9     24     0   14    48  96 3.7   45 0.90    44     4    22 1988   en
trap                 76     61   -7   20      9     1   15    36 140 2.9   46 0.80    46     2    68 2008   en
hip hop              76     67   -6   26     13     0   18    53  93 3.7   43 0.90    50     2    60 1984   en
funk                 76     68   -8    8     13     5   14    82 108 4.3   27 0.85    52     1     4 1968   en
afrobeat             74     72   -8    9     22    13   16    78 112 6.2   23 0.95    50     2     1 1970   en
disco                72     77   -8    5     10     6   14    84 119 4.6   31 0.75    52     1     1 1974   en
schlager             66     68   -8    4     27     1   21    76 124 3.3   28 0.75    82     7     0 1962   de
pop                  66     69   -6    6     15     0   15    56 118 3.4   54 0.90    62     3    10 1962   en
city pop             66     71   -8    4     20     3   14    77 113 4.4   30 0.80    62     2     0 1977   ja
synth-pop            65     72   -8    4      8     8   14    59 123 4.0   34 0.85    58     2     2 1979   en
industrial           56     84   -7    8      2    40   19    30 122 4.5   22 0.95    48     3    11 1982   en
techno               72     78   -9    6      2    82   11    26 132 6.2   26 0.65    48     0     1 1988   en
house                76     78   -7    6      4    44   11    58 124 5.4   34 0.65    50     0     4 1985   en
trance               57     86   -7    5      1    62   16    29 137 6.0   28 0.65    42     0     0 1993   en
drum and bass        53     89   -5    8      2    44   17    31 173 4.8   29 0.60    44     1     5 1993   en
trip hop             63     49  -10    8     21    36   13    36  88 4.5   27 0.90    46     3     5 1991   en
downtempo            61     42  -12    5     34    69   12    33  98 4.4   29 0.90    48     4     1 1992   en
"""
_HEADER, *_ROWS = (line.rsplit(maxsplit=17) for line in GENRE_TABLE.splitlines())
_COLUMNS = dict(zip(_HEADER, zip(*_ROWS)))

GENRES = _COLUMNS["genre"]
TITLE_LANGUAGES = _COLUMNS["sung"]
EARLIEST_YEARS = np.array(_COLUMNS["from"], int)
VARIATION = np.array(_COLUMNS["vary"], float)
MAJOR_SHARE, WALTZ_SHARE, EXPLICIT_SHARE = (
    np.array(_COLUMNS[name], float) / 100 for name in ("major", "waltz", "adult")
)

# Songs scatter around their genre on a logistic scale from low to high: `spread` is the standard deviation,
# `drive` and `mood` are the correlations with two qualities that the features share.
FEATURE_SCALES = {  # feature: (column, its unit, low, high, spread, drive, mood)
    "danceability": ("dance", 0.01, 0, 1, 0.5, 0, 0.5),
    "energy": ("energy", 0.01, 0, 1, 0.7, 0.9, 0.1),
    "loudness": ("loud", 1, -36, 0.5, 0.35, 0.8, 0),
    "speechiness": ("talk", 0.01, 0.02, 0.97, 0.6, 0, 0),
    "acousticness": ("acoust", 0.01, 0, 1, 1.2, -0.6, 0),
    "instrumentalness": ("instr", 0.01, 0, 1, 1.7, 0, -0.2),
    "liveness": ("live", 0.01, 0.02, 1, 0.6, 0.2, 0),
    "valence": ("happy", 0.01, 0, 1, 0.8, 0.2, 0.8),
    "tempo": ("bpm", 1, 54, 211, 0.3, 0.3, 0.1),
    "duration_ms": ("min", 60_000, 45_000, 1_200_000, 0.3, -0.1, 0),
    "popularity": ("pop", 1, 0, 100, 1.0, 0, 0),
}
FEATURES = list(FEATURE_SCALES)
LOW, HIGH, SPREAD, DRIVE, MOOD = np.array([row[2:] for row in FEATURE_SCALES.values()], float).T
_TYPICAL = np.array([np.array(_COLUMNS[column], float) * unit for column, unit, *_ in FEATURE_SCALES.values()]).T
_UNIT = np.clip((_TYPICAL - LOW) / (HIGH - LOW), 0.002, 0.998)
_LOGITS = np.log(_UNIT / (1 - _UNIT))


def sample_deviations(rng: Generator, n: int) -> Floats:
    """How far songs or artists deviate from their genre: standard normal, shape (n, n_features)."""
    drive, mood = rng.standard_normal((2, n, 1))
    own = rng.standard_normal((n, len(FEATURES)))
    deviations: Floats = DRIVE * drive + MOOD * mood + np.sqrt(1 - DRIVE**2 - MOOD**2) * own
    return deviations


def features(genre_rows: Ints, n_genres: Ints, deviations: Floats) -> Floats:
    """Let songs sound like their genres.

    genre_rows : rows of the table, the home genre first, shape (n, 3)
    n_genres : how many of the three count, shape (n,)
    deviations : shape (n, n_features)
    -> shape (n, n_features), in the units of the canonical table
    """
    # No matrix product: its last bits, and so the catalogue, would depend on the machine.
    used = (np.arange(genre_rows.shape[1]) < n_genres[:, None])[:, :, None]
    centre = (_LOGITS[genre_rows] * used).sum(axis=1) / n_genres[:, None]
    scale = VARIATION[genre_rows[:, :1]] * SPREAD
    sampled: Floats = LOW + (HIGH - LOW) / (1 + np.exp(-centre - scale * deviations))
    return sampled


ADJECTIVES = """
    Alpine Amber Autumn Borrowed Brass Candlelit Careful Clumsy Coastal Cobalt Copper Crimson Crooked
    Curious Desert Distant Dusty Early Electric Endless Evening Faded Floating Folded Foreign Forgotten
    Frozen Gentle Half-Built Half-Remembered Hidden Hollow Honest Humble Humming Idle Indigo Inland Ivory
    Late Lonely Lunar Magnetic Mechanical Midnight Moonlit Narrow Nocturnal Northern Painted Paper Paraffin
    Patient Polished Porcelain Provincial Quiet Reckless Restless Rusty Saffron Salt-Stained Scarlet Secret
    Shallow Sideways Silver Sleeping Solar Southern Spare Spinning Steep Stubborn Suburban Sunlit Tangled
    Telltale Tender Thousandth Tidal Timid Transparent Unfinished Unsent Unwritten Upside-Down Vanishing
    Velvet Wandering Weightless Whispering Windblown Winter Wooden Woven
"""
THINGS = """
    Accordion Almanac Anchor Antenna Avalanche Barometer Beacon Bicycle Blanket Bonfire Bramble Bridge
    Button Calendar Camera Candle Caravan Carousel Cartographer Chandelier Chimney Clock Comet Cradle
    Curtain Daydream Drawbridge Elevator Ember Engine Envelope Fern Fiddle Fountain Hammock Harvest Heron
    Horizon Iceberg Inkwell Jacket Kettle Keyhole Kingfisher Lamp Lantern Lemon Letter Locket Machine Magnet
    Magpie Marigold Milestone Mirror Monsoon Needle Notebook Otter Paddle Parachute Parade Passenger
    Pendulum Pianola Pillow Planet Pocket Postcard Quilt Radiator Record Rowboat Saddle Samovar Satellite
    Scarecrow Sextant Signal Silhouette Skylight Snowdrift Sparrow Spindle Stranger Suitcase Sundial
    Sunflower Tailor Teacup Telegram Telescope Thimble Thunderstorm Timetable Tractor Turbine Typewriter
    Umbrella Violin Voyage Wagon Weathervane Whistle Window
"""
PLACES = """
    Aqueduct Attic Ballroom Bookshop Boulevard Cabin Canyon Cathedral Cellar Cinema Corridor Doorway
    Fairground Farmhouse Garden Glacier Greenhouse Hallway Harbour Hillside Island Junction Kitchen Lagoon
    Lighthouse Meadow Mountain Orchard Pavilion Railway River Rooftop Staircase Station Terrace Thicket
    Tollgate Tunnel Verandah Vineyard Waterfall Windmill Workshop
"""
NOUNS = THINGS + PLACES
GIVEN_NAMES = """
    Anaïs Ansel Åse Benedikta Björn Bronagh Casimir Clementine Cressida Delphine Dmitri Dorothea Emeka
    Eszter Eulalie Farida Florian Gwendolyn Halvard Hamish Hester Ignatius Ileana Ingrid Íris Isidora
    Joaquín Jocasta Jorrit Kasper Katya Leopold Linnea Ludovic Lysander Magnus Marguerite Mireille Nils Noor
    Odalys Oonagh Oriel Osric Ottoline Pálma Perpetua Petronella Quentin Ramón Rosalind Saoirse Søren
    Sunniva Tamsin Teodor Thaddeus Tobias Ulrika Ursula Valentin Viggo Wilhelmina Winifred Wren Xanthe
    Ximena Yannick Yolanda Zelda Zoë Zsófia
"""
SURNAME_STARTS = """
    Ask Brann Bryn Cald Dorn Dray Eld Fenn Gald Hal Hesk Ist Jund Kell Lorr Marr Mosk Nar Orv Ostr Pell
    Quill Rund Sket Sund Thur Tor Ulv Vant Vel Wex Yar Zell
"""
SURNAME_MIDDLES = "a al an e el en er i in o ol om or u"
SURNAME_ENDS = """
    bach czek dottir drin feld gård haven ique kamp leigh lund løv mere moor mund nov quist rick sen ska
    stow ström thorpe vane vik wick
"""
SURNAMES = " ".join(map("".join, product(SURNAME_STARTS.split(), SURNAME_MIDDLES.split(), SURNAME_ENDS.split())))


class Phrase:
    """A template and the words for each of its gaps; ``weight`` says how often it is used."""

    def __init__(self, template: str, *words: str, weight: int = 1):
        self.template = template
        self.words = [text.split() for text in words]
        self.weight = weight
        self.size = math.prod(map(len, self.words))

    def render(self, numbers: Ints) -> list[str]:
        """Make a text of each number, for each number below ``size`` another one."""
        digits = np.unravel_index(numbers % self.size, [len(words) for words in self.words])
        chosen = ([words[d] for d in digit.tolist()] for words, digit in zip(self.words, digits))
        return [self.template.format(*gaps) for gaps in zip(*chosen)]


ENGLISH = (
    Phrase("{} {}", ADJECTIVES, NOUNS, weight=9),
    Phrase("{} {} {}", ADJECTIVES, PLACES, THINGS, weight=14),
    Phrase("{} in the {}", THINGS, PLACES, weight=3),
    Phrase("{} in the {} {}", THINGS, ADJECTIVES, PLACES, weight=10),
    Phrase("{} the {} {}", "Chasing Crossing Finding Leaving Mending", ADJECTIVES, NOUNS, weight=10),
    Phrase("The {} and the {}", THINGS, PLACES, weight=3),
    Phrase("{}'s {}", GIVEN_NAMES, NOUNS, weight=4),
    Phrase("{} and the {} {}", GIVEN_NAMES, ADJECTIVES, NOUNS, weight=7),
    Phrase("Last {} to {}", "Bus Ferry Train Tram Letter Postcard", SURNAMES, weight=10),
    Phrase("I Left My {} in {}", THINGS, SURNAMES, weight=8),
    Phrase("{} at {}", PLACES, "Dawn Noon Dusk Midnight Daybreak"),
    Phrase("Where the {} {}", NOUNS, "Sleeps Waits Sings Burns Turns Falls Hums Dreams Sinks"),
    Phrase("{} {} {}s", "Three Five Seven Nine Eleven Twenty Forty Ninety", ADJECTIVES, NOUNS, weight=6),
    Phrase("Don't {} the {}", "Wake Follow Sell Paint Trust Lose Count Forget", NOUNS),
    Phrase("{}", NOUNS),
)
FOREIGN = {  # a template and its words, which agree in gender
    "fr": (
        "Le {} {}",
        "Carnet Cinéma Clocher Jardin Marché Moulin Phare Quai Rivage Théâtre Tramway Vélo",
        "Bleu Doré Fragile Immobile Lointain Léger Muet Oublié Perdu",
    ),
    "de": (
        "Der {} {}",
        "Alte Blaue Ferne Goldene Letzte Müde Stille Verlorene",
        "Bahnsteig Brunnen Garten Hafen Kompass Koffer Leuchtturm Regenschirm Winter",
    ),
    "es": (
        "El {} {}",
        "Balcón Camino Farol Invierno Jardín Molino Muelle Otoño Puerto Reloj Sendero Tranvía Violín",
        "Antiguo Azul Callado Dormido Dorado Lejano Pequeño Perdido Roto Vacío",
    ),
    "pt": (
        "{} {}",
        "Balão Barco Bonde Caminho Chapéu Farol Inverno Jardim Portão Quintal Violão",
        "Antigo Azul Calmo Distante Pequeno Perdido Vazio",
    ),
    "el": (
        "{} {}",
        "Γαλάζιο Ήσυχο Λευκό Μικρό Παλιό Τελευταίο Χαμένο",
        "Βράδυ Καλοκαίρι Καράβι Λιμάνι Νησί Παράθυρο Ταξίδι Τραγούδι Τρένο Φως",
    ),
    "ru": (
        "{} {}",
        "Белый Далёкий Забытый Зимний Ночной Последний Синий Старый Тихий",
        "Берег Ветер Город Дождь Мост Поезд Причал Рассвет Сад Сон Трамвай Фонарь",
    ),
    "ja": (
        "{}{}",
        "青い 静かな 遠い 白い 小さな 眠れない 忘れた 最後の",
        "海 窓 町 夢 風 夜 駅 灯台 手紙 季節",
    ),
}
TITLE_PHRASES = {"en": ENGLISH} | {language: (Phrase(*words),) for language, words in FOREIGN.items()}
