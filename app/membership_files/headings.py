"""What columns, and lines of mails, are called: in both languages, and where members were kept."""

from app.membership_files.folding import heading_key
from app.schemas.membership_mappings import ImportField, MappingPreset

# Under each field what it is called; accents, case and punctuation do not matter.
_NAMES: dict[ImportField, str] = {
    ImportField.NAME: """name|your name|full name|display name|member name|member|person
        |nom complet|nom et prénom|prénom et nom|votre nom|nom du membre|name of applicant
        |applicant|applicant name|nom de la personne|person name""",
    ImportField.FIRST_NAME: "first name|given name|given names|forename|first|prénom|votre prénom",
    ImportField.LAST_NAME: """last name|surname|family name|last|nom de famille|nom famille
        |votre nom de famille""",
    ImportField.EMAIL: """email|e-mail|email address|e-mail address|your email|your email address
        |mail|courriel|adresse courriel|adresse de courriel|adresse électronique|votre courriel
        |votre adresse courriel|courrier électronique|adresse e-mail|primary email|person email
        |private email""",
    ImportField.COMMUNITIES: """communities|community|cp|cps|community of practice
        |communities of practice|community of practice you wish to join
        |communities of practice you wish to join|group participation|groups|group|member groups
        |communauté|communautés|communauté de pratique|communautés de pratique|groupes|groupe
        |communauté de pratique à laquelle vous souhaitez adhérer
        |communauté de pratique dont vous souhaitez faire partie|committees|community slug""",
    ImportField.OCCUPATION: """occupation|your occupation|profession|job title|title|job|position
        |votre profession|métier|titre du poste|fonction|emploi|person occupation""",
    ImportField.OCCUPATION_CODE: """occupation code|profession code|code de profession
        |code d'occupation|private occupation code""",
    ImportField.AFFILIATION: """affiliation|organization|organisation|company|employer|institution
        |agency|court|court treatment agency or other affiliation|your affiliation|workplace
        |organisme|employeur|établissement|votre affiliation|tribunal|person affiliation
        |tribunal, organisme de traitement ou autre affiliation""",
    ImportField.AREA_OF_INTEREST: """area of interest|areas of interest|interest|interests
        |your area of interest|domaine d'intérêt|domaines d'intérêt|intérêt|intérêts
        |champ d'intérêt|champs d'intérêt|votre domaine d'intérêt|private area of interest""",
    ImportField.TERRITORY: """territory|province|province or territory|province/territory|state
        |state/province|province or state|territoire|province ou territoire|province/territoire
        |province/état|private territory""",
    ImportField.LANGUAGE: """language|preferred language|language of correspondence|langue
        |langue préférée|langue de correspondance|your language|votre langue""",
    ImportField.CATEGORY: """category|member category|membership category|catégorie
        |catégorie de membre|catégorie d'adhésion""",
    ImportField.SINCE_ON: """since|since on|member since|start date|start|joined|date joined
        |join date|joined on|membre depuis|depuis|depuis le|date d'adhésion|date de début|début
        |begins on|from""",
    ImportField.UNTIL_ON: """until|until on|member until|end date|end|ends on|jusqu'au|jusqu'à
        |date de fin|fin|membre jusqu'au|to""",
    ImportField.EXTERNAL_ID: """external id|user id|member id|member number|id|contact id
        |membership number|identifiant|numéro de membre|no de membre|identifiant externe|number
        |member no""",
    ImportField.STATUS: """status|member status|membership status|statut|statut de membre
        |statut d'adhésion|état""",
    ImportField.ARCHIVED: "archived|is archived|archivé|archivée|archivés",
}

FIELDS: dict[str, ImportField] = {
    heading_key(said): field for field, names in _NAMES.items() for said in names.split("|")
}
# 'Nom' is the whole name, or the family name where the first name has a column of its own.
EITHER_NAME = heading_key("Nom")
_FRENCH = """nom|nom complet|courriel|communauté de pratique|profession|domaine d'intérêt|adresse
    courriel|votre nom|votre profession|votre courriel|langue|territoire|communautés de pratique"""
FRENCH = {heading_key(said) for said in _FRENCH.split("|")} - {heading_key("profession")}


class Preset:
    """The headings of one product: those by which it is known, and what they say."""

    def __init__(
        self,
        code: MappingPreset,
        known_by: tuple[str, ...],
        columns: dict[str, ImportField],
        separator: str,
    ) -> None:
        self.code = code
        self.known_by = {heading_key(heading) for heading in known_by}
        self.columns = {heading_key(heading): field for heading, field in columns.items()}
        self.separator = separator


# A preset names the columns that need it; what is left is recognised by FIELDS, save where it says
# the day to which somebody has paid: that is no end of a membership, and is left alone.
PRESETS = (
    Preset(
        MappingPreset.WILD_APRICOT,
        ("User ID", "Group participation"),
        {
            "User ID": ImportField.EXTERNAL_ID,
            "Group participation": ImportField.COMMUNITIES,
            "Member status": ImportField.STATUS,
            "Membership status": ImportField.STATUS,
            "Member since": ImportField.SINCE_ON,
            "Archived": ImportField.ARCHIVED,
            "Organization": ImportField.AFFILIATION,
        },
        ",",
    ),
    Preset(
        MappingPreset.CLUB_EXPRESS,
        ("Member Number", "Date Joined", "First Name", "Last Name"),
        {
            "Member Number": ImportField.EXTERNAL_ID,
            "Date Joined": ImportField.SINCE_ON,
            "Status": ImportField.STATUS,
            "Member Status": ImportField.STATUS,
            "Company": ImportField.AFFILIATION,
            "Committees": ImportField.COMMUNITIES,
            "State": ImportField.TERRITORY,
        },
        ",",
    ),
    Preset(
        MappingPreset.ASSOCIATION_FORM,
        (
            "Community of Practice you wish to join",
            "Court, Treatment Agency or other affiliation",
        ),
        {},
        ";",
    ),
)
