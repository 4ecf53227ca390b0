//! Who the sandbox's people pay. Invented names, so that no real firm is shown taking money; several are not ASCII on purpose.

/// One payee and what a payment to it looks like. Amounts are in cents.
#[derive(Debug)]
pub(crate) struct Merchant {
    pub(crate) name: &'static str,
    pub(crate) descriptor: &'static str,
    pub(crate) website: Option<&'static str>,
    pub(crate) primary: &'static str,
    pub(crate) detailed: &'static str,
    pub(crate) channel: &'static str,
    pub(crate) kind: &'static str,
    pub(crate) cents: (u64, u64),
    pub(crate) place: Option<usize>,
}

/// A place a shop can stand: city, region, postal code, country, latitude and longitude in ten-thousandths of a degree.
#[derive(Debug)]
pub(crate) struct Place {
    pub(crate) city: &'static str,
    pub(crate) region: &'static str,
    pub(crate) postal_code: &'static str,
    pub(crate) country: &'static str,
    pub(crate) lat: i64,
    pub(crate) lon: i64,
    pub(crate) streets: [&'static str; 3],
}

const fn place(
    names: (&'static str, &'static str, &'static str, &'static str),
    spot: (i64, i64),
    streets: [&'static str; 3],
) -> Place {
    let (city, region, postal_code, country) = names;
    Place {
        city,
        region,
        postal_code,
        country,
        lat: spot.0,
        lon: spot.1,
        streets,
    }
}

/// Home comes first; the rest is where people travel.
pub(crate) const PLACES: [Place; 4] = [
    place(
        ("San Francisco", "CA", "94103", "US"),
        (377_726, -1_224_099),
        ["Market St", "Mission St", "Valencia St"],
    ),
    place(
        ("Montréal", "QC", "H2X 1Y4", "CA"),
        (455_088, -735_673),
        ["Rue Saint-Denis", "Avenue du Parc", "Rue Rachel"],
    ),
    place(
        ("Zürich", "ZH", "8001", "CH"),
        (473_744, 85_410),
        ["Bahnhofstrasse", "Niederdorfstrasse", "Limmatquai"],
    ),
    place(
        ("東京", "東京都", "100-0001", "JP"),
        (356_851, 1_397_528),
        ["千代田", "丸の内", "有楽町"],
    ),
];

type Label = (&'static str, &'static str, &'static str);

const fn shop(
    label: Label,
    category: (&'static str, &'static str),
    cents: (u64, u64),
    place: usize,
) -> Merchant {
    merchant(label, category, "in store", cents, Some(place))
}

const fn site(label: Label, category: (&'static str, &'static str), cents: (u64, u64)) -> Merchant {
    merchant(label, category, "online", cents, None)
}

const fn merchant(
    label: Label,
    category: (&'static str, &'static str),
    channel: &'static str,
    cents: (u64, u64),
    place: Option<usize>,
) -> Merchant {
    let website = if label.2.is_empty() {
        None
    } else {
        Some(label.2)
    };
    Merchant {
        name: label.0,
        descriptor: label.1,
        website,
        primary: category.0,
        detailed: category.1,
        channel,
        kind: "merchant",
        cents,
        place,
    }
}

const GROCERIES: (&str, &str) = ("FOOD_AND_DRINK", "FOOD_AND_DRINK_GROCERIES");
const COFFEE: (&str, &str) = ("FOOD_AND_DRINK", "FOOD_AND_DRINK_COFFEE");
const RESTAURANT: (&str, &str) = ("FOOD_AND_DRINK", "FOOD_AND_DRINK_RESTAURANT");
const FAST_FOOD: (&str, &str) = ("FOOD_AND_DRINK", "FOOD_AND_DRINK_FAST_FOOD");

/// Where money goes nearly every day.
pub(crate) const COMMON: [Merchant; 15] = [
    shop(
        (
            "Green Basket",
            "GREEN BASKET MKT #0412",
            "greenbasket.example",
        ),
        GROCERIES,
        (1_180, 14_250),
        0,
    ),
    shop(
        ("Harbor Foods", "HARBOR FOODS 88 SF", "harborfoods.example"),
        GROCERIES,
        (640, 9_875),
        0,
    ),
    shop(
        (
            "Kettle & Bean",
            "SQ *KETTLE & BEAN",
            "kettleandbean.example",
        ),
        COFFEE,
        (325, 1_290),
        0,
    ),
    shop(
        ("Second Cup of Ideas", "TST* SECOND CUP OF IDEAS", ""),
        COFFEE,
        (410, 980),
        0,
    ),
    shop(
        ("Taquería El Niño", "TAQUERIA EL NINO 3", ""),
        RESTAURANT,
        (920, 4_315),
        0,
    ),
    shop(
        (
            "Bluebird Diner",
            "BLUEBIRD DINER SF",
            "bluebirddiner.example",
        ),
        RESTAURANT,
        (1_320, 5_870),
        0,
    ),
    shop(
        ("Patty Wagon", "PATTY WAGON 0091", "pattywagon.example"),
        FAST_FOOD,
        (540, 2_290),
        0,
    ),
    site(
        ("Ostrich Eats", "OSTRICHEATS ORDER", "ostricheats.example"),
        FAST_FOOD,
        (1_490, 6_380),
    ),
    shop(
        ("Redline Fuel", "REDLINE FUEL 5521", "redlinefuel.example"),
        ("TRANSPORTATION", "TRANSPORTATION_GAS"),
        (2_150, 8_890),
        0,
    ),
    site(
        ("Hailo Rides", "HAILO RIDES *TRIP", "hailorides.example"),
        ("TRANSPORTATION", "TRANSPORTATION_TAXIS_AND_RIDE_SHARES"),
        (633, 4_920),
    ),
    shop(
        ("Metro Fare", "METRO FARE RELOAD", ""),
        ("TRANSPORTATION", "TRANSPORTATION_PUBLIC_TRANSIT"),
        (250, 4_000),
        0,
    ),
    shop(
        ("City Parking", "CITY PARKING METER", ""),
        ("TRANSPORTATION", "TRANSPORTATION_PARKING"),
        (100, 2_400),
        0,
    ),
    site(
        (
            "Riverton Marketplace",
            "RIVERTON MKTPL*2K4XY",
            "riverton.example",
        ),
        (
            "GENERAL_MERCHANDISE",
            "GENERAL_MERCHANDISE_ONLINE_MARKETPLACES",
        ),
        (799, 23_499),
    ),
    shop(
        (
            "Bullseye Stores",
            "BULLSEYE STORES T-1882",
            "bullseyestores.example",
        ),
        ("GENERAL_MERCHANDISE", "GENERAL_MERCHANDISE_SUPERSTORES"),
        (1_250, 18_760),
        0,
    ),
    shop(
        (
            "Corner Pharmacy",
            "CORNER RX 00731",
            "cornerpharmacy.example",
        ),
        ("MEDICAL", "MEDICAL_PHARMACIES_AND_SUPPLEMENTS"),
        (499, 7_250),
        0,
    ),
];

/// Where it goes now and then.
pub(crate) const RARE: [Merchant; 11] = [
    shop(
        (
            "Épicerie Müller",
            "EPICERIE MULLER",
            "epicerie-muller.example",
        ),
        GROCERIES,
        (890, 6_420),
        1,
    ),
    shop(
        ("寿司まつ", "SUSHI MATSU", "sushimatsu.example"),
        RESTAURANT,
        (1_850, 9_640),
        3,
    ),
    shop(
        ("Voltage Electronics", "VOLTAGE ELEC 204", "voltage.example"),
        ("GENERAL_MERCHANDISE", "GENERAL_MERCHANDISE_ELECTRONICS"),
        (1_999, 89_900),
        0,
    ),
    shop(
        ("Turn the Page Books", "TURN THE PAGE BKS", ""),
        (
            "GENERAL_MERCHANDISE",
            "GENERAL_MERCHANDISE_BOOKSTORES_AND_NEWSSTANDS",
        ),
        (699, 5_495),
        0,
    ),
    shop(
        (
            "Åsa & Dóra Clothing",
            "ASA DORA CLOTHING",
            "asadora.example",
        ),
        (
            "GENERAL_MERCHANDISE",
            "GENERAL_MERCHANDISE_CLOTHING_AND_ACCESSORIES",
        ),
        (2_450, 21_900),
        0,
    ),
    shop(
        ("Bright Smile Dental", "BRIGHT SMILE DDS", ""),
        ("MEDICAL", "MEDICAL_DENTAL_CARE"),
        (4_500, 32_000),
        0,
    ),
    shop(
        (
            "Grandview Cinema",
            "GRANDVIEW CINEMA 12",
            "grandviewcinema.example",
        ),
        ("ENTERTAINMENT", "ENTERTAINMENT_TV_AND_MOVIES"),
        (1_150, 5_380),
        0,
    ),
    shop(
        (
            "Nail & Hammer",
            "NAIL AND HAMMER 77",
            "nailandhammer.example",
        ),
        ("HOME_IMPROVEMENT", "HOME_IMPROVEMENT_HARDWARE"),
        (875, 26_430),
        0,
    ),
    site(
        (
            "Pawprint Supplies",
            "PAWPRINT SUPPLIES LLC",
            "pawprint.example",
        ),
        ("GENERAL_MERCHANDISE", "GENERAL_MERCHANDISE_PET_SUPPLIES"),
        (1_399, 9_150),
    ),
    site(
        ("Skyloft Airways", "SKYLOFT AIR 0017724", "skyloft.example"),
        ("TRAVEL", "TRAVEL_FLIGHTS"),
        (8_900, 64_500),
    ),
    shop(
        (
            "Hotel Alpenblick",
            "HOTEL ALPENBLICK ZURICH",
            "alpenblick.example",
        ),
        ("TRAVEL", "TRAVEL_LODGING"),
        (11_900, 41_000),
        2,
    ),
];
