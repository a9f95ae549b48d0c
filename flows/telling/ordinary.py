"""Ordinary words of the language, as a sentence begins with them or a form has them in capitals: none of them is taken for a name
because it has the consonants of one. Where they are somebody's name, they are found as they are written."""

from __future__ import annotations

ORDINARY = frozenset(
    """
    able abuse achieve active add address admitted afraid again age aged ago ahead aid alcohol alive all allies allow allowed
    allows alone also although always and angry annoyed annual another answer anti anxious any anyway appear application are area
    areas armed arts asian ask asked assessment assets attendance attended aunt auntie author avenue awards aware baby back bad
    bag balance ball bar base bay beach bear beat beaten beauty bed been beer belongings below bet better between big bigger bird
    birth bit bite bitten bleed bleeding block blow blue board boat body book border born boss both bought bowl box boy boys brain
    brand bridge bright britain british brother brought brown bruise bruises bruising burn burned burns bus busy but button buy
    call called caller calling calls came can cancer cannot car card care career caretaker carried carry cars case cash cast cat
    caught cause caused cave cell cells cent centre certain chain chair chance change charge check cheese chef chief child
    children choice choke choked choose chosen christmas church cities city civil claim class clear close closer clothes club coal
    coast code coffee cold colour come concern concerns contact cook cool core corner cost could council count county course
    cousin cover crazy cream create crew cried crime cross crowd crucial cry crying cut cute cycle dad daddy daily dance dark data
    date daughter days dead deal deals dear death december decision did die died diet dinner dirt dirty doctor does dog dollar
    done dont door down download draw dress drowsy drugs dry due during each earlier early ears earth ease easier easily east
    easter easy eat edge eid eight either else email emergency end english enjoy enough enter equal era essay even ever eyes face
    fact factor fail failed failure fair fake falls false fan fans far fast faster fat father fault favour fear february feed
    feeds feel feels feet fell fellow felt few fight file fill filled final finally fine finish fire fired fish fit five fix flat
    flight floor flow fly follow followed follows food foot for foreign form found four fourth fox free french friday fruit fuel
    full fully fun funny further gain game gas gave gets give given goal goes going gone grandmother great greater grew grow grown
    growth guardian guess gun guy guys had hair hall happy hard harder harm has hate head hear heard heart heat hell hello her
    here hero high highest highly hill him his hit hole home horse hospital host hot hour hours house household how hurt ice idea
    ideas ill immigration incomplete injury inner into irish iron island issue its january job join joint joke july just justice
    key kick kicked kid killed killer kind kiss kitchen knee knew knife knock know known knows labour lack ladies lady lake land
    lane last late later laugh launch law laws lay layer lazy lead leader leads leaflet learn learned least leave leaves led leg
    less let letter lie lies light lights like likely likes line lines list live lived lives load loan local located lock locked
    london look looks loose lose loss lost lot lots love loved loves low lower luck lucky lunch machine mad made mail main mainly
    make male mam man many march marker marriage mass match matter mean meant meat media medicine meet meeting member men mess met
    midwife might mile miles milk million mind mine minor minute miss missing mission mix mobile mode monday money month moon more
    mosque mother mouth move mrs much mum mummy music name nan nana nation national navy near neck need neglect neither nephew net
    never new news nhs nice niece night nine noise non none nor north not note notes notice november now nurse october off offer
    officer officers oil old older once ones ongoing only onto order other out over overall own owned owner pack page paid pain
    paper paramedics parent parents park parks partner path patient peace period person phase phone photo pick piece pipe place
    plan plane play player plays please plus police policy polite pool powers prefer press price prior prize produce proof proud
    prove pull pupil purchase pure put quality quarter queen quick quickly quiet quite race radio rain raise ran rare rate rather
    reach read ready real really reason record red referral region remain remained report reported request required requires
    response rest review rice ride right rise risk river road role roll round route row royal rule run runs rush sad safe safety
    said sake sale sales same sat saturday sauce save saw say says scar scared scars scary scene scenes scheme school schools
    science score scottish screw sea seal search season seat seats section sector secure seek seem seen sees sell send senior
    sense sent september series serious session set sets seven sex sexual shake shaken shaking shall share shares she shell shirt
    shock shoe shoes shoot shore short shot shots shout shouted shouting show showed shown shows shut shy sibling sick side signed
    silly similar sin since sink sir sister sit site sites six size sky sleep sleeping slept slow smack smacked small smaller
    smell smelt smile smoke smoking snake snow social society soil solar sole solo solution some someone somewhere son sons soon
    sooner sore sorry sort soul sound source south spoke square staff star start stay steel stick still stock store straight
    street stuck stuff style sub submitted such suffer suffers sugar suit suits summary sun sunday sure swear swearing sweet
    switch swore sworn tail take taken tale tall taught tax tea teach teacher team teams tear tech teeth tell ten that the their
    them theme then theories theory there these they third this those thought three through throw thursday thus tie tied tight
    till time times tiny tired today tomorrow too took tool touch tough tour toward tower town toy toys track trade train trash
    tree trees tried truck true try tuesday turn turns twice two unborn uncle under unharmed unique unit university upper upset
    use user usual usually valley value values variety vary very via vice victory video view views violence visit voice vote walk
    wall walls want was waste ways web website wednesday welfare well welsh went west what when which while whole whose wide wild
    wind window wine winner wins winter wish won wonder would write writer wrote year yellow yes you younger your youth zero zone
    """.split()  # noqa: SIM905
)
