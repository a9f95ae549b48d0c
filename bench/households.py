"""The names and places of which families are made for the benchmark: common and rare ones of the communities that English hubs
serve, each with the other spellings in which it is written down. All people are fictional."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Community:
    """How a part of the people is called, each list from the most common name to the rarest."""

    share: float
    """Of all families; ours, after the Census of 2021 for towns with a hub."""
    girls: tuple[str, ...]
    boys: tuple[str, ...]
    families: tuple[str, ...]
    rare: float
    """The share of families whose name is composed, so that hardly another family has it; ours."""


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


def _of(share: float, rare: float, girls: str, boys: str, families: str) -> Community:
    return Community(share, _words(girls), _words(boys), _words(families), rare)


COMMUNITIES = (
    _of(
        0.54,
        0.5,
        "Olivia Amelia Isla Ava Ivy Freya Lily Florence Mia Willow Rosie Sophia Isabella Grace Daisy Sienna Poppy Elsie "
        "Emily Ella Evelyn Phoebe Evie Charlotte Harper Millie Matilda Maya Sophie Alice Emilia Isabelle Ruby Luna "
        "Maisie Aria Penelope Mila Bonnie Eva Hallie Eliza Ada Violet Esme Arabella Jessica Chloe Orla Layla Imogen "
        "Siân Niamh Zoë Kayleigh Lacey Summer Scarlett Amber Abigail Lola Hannah Elizabeth Katherine Rebecca Ellie "
        "Darcie Robyn Tilly Megan Skye Heidi Nancy Erin Beatrice Lottie",
        "Oliver George Arthur Noah Leo Oscar Harry Archie Jack Henry Charlie Freddie Theodore Thomas Finley Theo Alfie "
        "Jacob William Isaac Tommy Joshua James Lucas Alexander Arlo Roman Edward Elijah Teddy Mason Harrison Max Rory "
        "Logan Albert Louie Toby Ethan Joseph Jude Benjamin Samuel Reuben Riley Hugo Sebastian Luca Daniel Jaxon Kayden "
        "Connor Seán Callum Michael Matthew Nathan Dylan Tyler Ryan Liam Jayden Luke Frankie Stanley Ronnie Bobby "
        "Reggie Zachary Cameron Owen Bradley Ashton Robert Stephen Christopher",
        "Smith Jones Williams Taylor Brown Davies Evans Wilson Thomas Johnson Roberts Robinson Thompson Wright Walker "
        "White Edwards Hughes Green Hall Lewis Harris Clarke Jackson Wood Turner Martin Cooper Hill Ward Morris Moore "
        "Clark Lee King Baker Harrison Morgan Allen James Scott Phillips Watson Davis Parker Price Bennett Young "
        "Griffiths Mitchell Kelly Cook Carter Richardson Bailey Collins Bell Shaw Murphy Miller Cox Richards Khan "
        "Marshall Anderson Simpson Ellis Adams Singh Foster Wilkinson O'Neill O'Brien McDonald",
    ),
    _of(
        0.16,
        0.15,
        "Aisha Fatima Maryam Zainab Khadija Amina Hafsa Zara Safiya Sumayya Inaya Anaya Hania Noor Sana Iqra Mariam "
        "Saima Rukhsana Nadia Shazia Tahmina Farhana Nusrat Rabia Humaira Mehreen Ruqayyah Yusra Aleena",
        "Muhammad Ibrahim Yusuf Ali Hassan Hamza Umar Abdullah Bilal Adam Zayn Musa Ayaan Ismail Haris Usman Imran "
        "Khalid Tariq Faisal Rashid Shahid Junaid Zakariya Sulaiman Mustafa Idris Yahya Rayyan Eesa",
        "Khan Hussain Ahmed Begum Ali Akhtar Miah Iqbal Malik Mahmood Rahman Uddin Islam Choudhury Shah Mirza Bibi "
        "Kausar Hassan Raja Qureshi Butt Sheikh Siddique Rashid Aziz Zaman Chowdhury Javed Bashir Parveen Nawaz Yousaf",
    ),
    _of(
        0.06,
        0.1,
        "Simran Priya Anjali Jasleen Harpreet Kiran Avneet Diya Aanya Meera Kavya Riya Gurleen Manpreet",
        "Arjun Rohan Aarav Harjit Gurpreet Jaspal Vivaan Karan Dilraj Sahib Dev Krishan Amrit Jagdeep",
        "Singh Kaur Patel Sharma Shah Sandhu Gill Dhillon Mistry Grewal Sidhu Chauhan Bains Desai Dhaliwal",
    ),
    _of(
        0.07,
        0.3,
        "Zofia Zuzanna Łucja Małgorzata Oliwia Wiktoria Maja Agnieszka Aleksandra Kinga Elżbieta Gabriela Nikola Hanna Michalina",
        "Jakub Michał Łukasz Szymon Kacper Paweł Wojciech Stanisław Bartłomiej Krzysztof Mikołaj Oskar Piotr Tomasz Filip",
        "Nowak Kowalski Wiśniewski Wójcik Kamiński Lewandowski Zieliński Gołąb Wróbel Dąbrowski Pawłowski Michalski "
        "Król Wieczorek Jabłoński Głowacki Błaszczyk",
    ),
    _of(
        0.04,
        0.2,
        "Ioana Andreea Ștefania Mădălina Elena Bianca Daria Ilinca Crina",
        "Andrei Ștefan Cătălin Răzvan Ionuț Matei Luca Vlad Mihai",
        "Popa Ionescu Popescu Dumitru Stan Stoica Gheorghe Rusu Munteanu Șerban Țurcanu Lăcătuș Ciobanu",
    ),
    _of(
        0.03,
        0.2,
        "Işıl Elif Zeynep Ayşe Şirin Gülsüm Defne Çiğdem Berfin",
        "Çağlar Emre Ömer Yiğit Barış Işık Oğuz Kerem Rojhat",
        "Yılmaz Demir Şahin Çelik Yıldız Öztürk Aydın Kılıç Doğan Güneş Işık Karataş",
    ),
    _of(
        0.04,
        0.15,
        "Hodan Ayaan Ifrah Hibaaq Sagal Nasra Fadumo Ubah Halimo Deqa",
        "Abdirahman Mohamed Abdi Liban Guled Mahad Zakaria Yasin Warsame Ayub",
        "Mohamed Ali Abdi Hassan Warsame Farah Omar Ahmed Jama Hussein Osman Yusuf Abdullahi Duale",
    ),
    _of(
        0.03,
        0.3,
        "Chidinma Adaeze Temitope Folasade Ama Akosua Blessing Precious Ọmọlará Ngozi",
        "Chinedu Oluwaseun Kwame Kofi Emeka Tunde Babatunde David Emmanuel Ọlámidé",
        "Okafor Mensah Adeyemi Boateng Owusu Okonkwo Afolabi Osei Eze Adebayo Asante Balogun Ogunleye",
    ),
    _of(
        0.015,
        0.05,
        "Đan Thảo Linh Ngọc Phương Hương Mai Trúc",
        "Đức Minh Quân Huy Khôi Tuấn Bảo Đạt",
        "Nguyễn Trần Lê Phạm Đỗ Đặng Hoàng Vũ Bùi Đinh",
    ),
    _of(
        0.015,
        0.3,
        "Đurđa Lejla Željka Snežana Amra Mirela Þóra Æsa Søs Bjørg",
        "Đorđe Đuro Anđelko Haris Željko Nenad Þór Søren Åke Bjørn",
        "Đokić Đurić Hadžić Begić Petrović Jovanović Kovačević Anđelić Ørsted Sørensen Bjørnsson Mæhlum Þórsson Strauß",
    ),
)

OTHER_SPELLINGS = (
    "muhammad mohammed mohamed mohammad muhammed",
    "aisha ayesha aysha aicha aishah",
    "hussain hussein husain hossain",
    "ahmed ahmad",
    "khan kahn",
    "yusuf yousuf yousef youssef yusef",
    "fatima fatimah fathima",
    "maryam mariam mariyam",
    "zainab zaynab zeinab",
    "ibrahim ebrahim ibraheem",
    "choudhury chowdhury chaudhry choudhary",
    "rahman rehman",
    "khadija khadijah khadeeja",
    "siddique siddiqui siddiq",
    "umar omar",
    "usman osman uthman",
    "abdullah abdallah",
    "bilal belal",
    "sheikh shaikh",
    "qureshi quraishi",
    "mahmood mahmud mehmood",
    "noor nur nour",
    "hassan hasan",
    "isa eesa issa",
    "sophie sophy sofie",
    "sophia sofia",
    "isabella izabella isobella",
    "isabelle isobel isabel",
    "katherine catherine kathryn",
    "amelia emelia",
    "ellie elly",
    "lily lilly lillie",
    "millie milly",
    "maisie maisy",
    "kayleigh kaylee kayley",
    "lacey lacy laci",
    "zoë zoe zoey",
    "niamh neve neave",
    "siân sian shan",
    "seán sean shaun shawn",
    "connor conor",
    "callum calum",
    "stephen steven",
    "rory ruairi",
    "jaxon jackson jaxson",
    "kayden caden kaiden",
    "finley finlay",
    "philips phillips philipps",
    "clarke clark clerk",
    "thompson thomson",
    "davies davis",
    "harrison harryson",
    "o'neill oneil o'neil",
    "o'brien obrien",
    "mcdonald macdonald",
    "johnson johnston jonson",
    "smith smyth smythe",
    "green greene",
    "brown browne",
    "moore moor more",
    "taylor tayler tailor",
    "wright right",
    "đokić djokic",
    "đurić djuric",
    "sørensen soerensen",
    "nguyễn nguyen",
    "kaur kour",
    "singh sing",
    "gurpreet gurprit",
    "wojciech wojtek",
)
"""Spellings of one name that referrers have for one another: transliterations, and names that sound alike. Ours."""
SHORT_NAMES = (
    "robert bob bobby rob",
    "william bill billy will",
    "elizabeth lizzie beth liz",
    "katherine kate katie",
    "thomas tom tommy",
    "james jim jamie",
    "joshua josh",
    "daniel dan danny",
    "samuel sam sammy",
    "benjamin ben",
    "alexander alex xander",
    "christopher chris kit",
    "michael mike mikey",
    "matthew matt",
    "joseph joe joey",
    "edward ed teddy eddie",
    "charlotte charlie lottie",
    "isabella bella izzy",
    "abigail abi abbie",
    "rebecca becky becca",
    "jessica jess",
    "olivia liv livvy",
    "amelia millie amy",
    "evelyn evie",
    "matilda tilly",
    "arabella bella",
    "theodore theo teddy",
    "frederick freddie",
    "zachary zac zak",
    "penelope penny",
    "florence flo florrie",
    "muhammad mo",
    "stephen steve",
    "aleksandra ola",
    "małgorzata gosia",
    "jakub kuba",
    "zuzanna zuzia",
    "gurpreet preet",
    "oluwaseun seun",
    "babatunde tunde",
    "folasade sade",
)
"""A name, and what its bearers are called for short. Ours."""
BEGINNINGS = _words(
    "Hather Brackl Thorn Whitt Under Quill Ashb Black Cald Dun Elder Fair Garth Hazel Ingle Kirk Lang Marsh Nether Oak "
    "Pen Rad Sed Tarn Upt Wain Yard Bex Crom Drax Fen Gos Hol Ick Jes Kel Lud Mos Nor Ox Pem Ross Stan Tre Ulv Wick "
    "Zeal Alder Brom Cran Dew"
)
ENDINGS = _words(
    "leigh ley field ham ton worth ward wick stone more croft hurst den by ford gate house land man well wood shaw "
    "ridge beck bourne cott dale er ing son low"
)
STREETS = _words(
    "High Station Church Park Victoria Green Manor Kings Queens New Grange Mill Springfield Albert School Alexandra "
    "York Windsor North South Chestnut Elm Cedar Beech Maple Rowan Willow Holly Orchard Meadow"
)
KINDS = _words("Road Street Lane Avenue Close Drive Crescent Grove Way")
