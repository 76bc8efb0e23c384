"""The words of a file that are kept: closed lists, so that no field can bring a name into a study.

Modality: PS3.3 C.7.3.1.1.1; body parts: PS3.16 annex L; view positions: PS3.3 C.8.7.5 and CID 4014.
Makers are kept under the name listed here, whatever else the file says.
"""

import re


def listed(words: str) -> frozenset[str]:
    """Return the words in a list."""
    return frozenset(words.split())


MODALITIES = listed(
    "ANN AR ASMT AU BDUS BI BMD CFM CR CT CTPROTOCOL DG DMS DOC DX ECG EEG EMG EOG EPS ES FID GM "
    "HC HD IO IOL IVOCT IVUS KER KO LEN LS M3D MG MR NM OAM OCT OP OPM OPT OPTBSV OPTENF OPV OSS "
    "OT PA PLAN POS PR PT PX REG RESP RF RG RTDOSE RTIMAGE RTINTENT RTPLAN RTRAD RTRECORD "
    "RTSEGANN RTSTRUCT RWV SEG SM SMR SR SRF STAIN TEXTUREMAP TG US VA XA XAPROTOCOL XC AS CD CF "
    "CP CS DD DF DM DS EC FA FS LP MA MS OPR ST VF"
)
"""Defined terms of Modality, retired ones last."""

BODY_PARTS = listed(
    "ABDOMEN ABDOMENPELVIS ACJOINT ADRENAL AMNIOTICFLUID ANKLE ANTCUBITALV ANTECUBITALV "
    "ANTTIBIALA ANUS ANUSRECTUMSIGMD AORTA AORTICARCH APPENDIX ARM ARTERY ASCAORTA ASCENDINGCOLON "
    "ATRIUM AVNODE AXILLA AXILLARYA AXILLARYV AZYGOSVEIN BACK BILEDUCT BILIARYTRACT BLADDER BODY "
    "BONE BRACHIOCEPHALICA BRACHIOCEPHALICV BRAIN BREAST BRONCHUS BUTTOCK CALCANEUS CALF CAROTID "
    "CBD CCA CEREBELLUM CEREBRALA CEREBHEMISPHERE CERVIX CHEEK CHEST CHESTABDOMEN CHESTABDPELVIS "
    "CHOROIDPLEXUS CIRCLEOFWILLIS CLAVICLE COCCYX COLON COMMONILIACA COMMONILIACV CORNEA "
    "CORONARYARTERY CORONARYSINUS CSPINE CTSPINE DESCAORTA DESCENDINGCOLON DIGIT DUODENUM EAR "
    "ELBOW ENDOARTERIAL ENTIREBODY EPIDIDYMIS ESOPHAGUS EXTREMITY EYE EYELID FACE FEMORALA "
    "FEMORALV FEMUR FETALARM FETALDIGIT FETALHEART FETALLEG FETALPOLE FIBULA FINGER FLANK "
    "FONTANEL FOOT FOREARM FOREHEAD GALLBLADDER GLUTEAL GROIN HAND HEAD HEADNECK HEART HIP "
    "HUMERUS IAC ILEUM ILIUM INDEXFINGER JAW JEJUNUM KIDNEY KNEE LARYNX LEG LIMB LIVER LOWERARM "
    "LOWERLEG LOWERLIMB LSPINE LSSPINE LUMBAR LUNG MANDIBLE MASTOID MAXILLA MEDIASTINUM "
    "MIDDLEFINGER MOUTH NECK NECKCHEST NECKCHESTABDOMEN NECKCHESTABDPELV NOSE OPTICCANAL ORBIT "
    "OVARY PANCREAS PARASTERNAL PAROTID PATELLA PELVIS PENIS PERINEUM PHARYNX PLACENTA PROSTATE "
    "RECTUM RENALARTERY RIB RIBS RINGFINGER SACRUM SCALP SCAPULA SCLERA SCROTUM SELLA SHOULDER "
    "SIJOINT SINUS SKULL SMALLBOWEL SPINALCORD SPINE SPLEEN SSPINE STERNUM STOMACH SUBMANDIBULAR "
    "SUPERIORVENACAVA TESTIS THIGH THORAX THUMB THYMUS THYROID TIBIA TIBIAFIBULA TLSPINE TMJ TOE "
    "TONGUE TOOTH TRACHEA TSPINE UMBILICUS UPPERARM UPPERLEG UPPERLIMB URETER URETHRA UTERUS "
    "VAGINA VEIN VULVA WHOLEBODY WRIST ZYGOMA"
)
"""Defined terms of Body Part Examined, and common variants of makers."""

POSITIONS = listed("AP PA LL RL RLD LLD RLO LLO LATERAL LAT OBLIQUE AXIAL TANGENTIAL")
"""View positions of projections other than mammograms."""

_MAKERS = (
    "Acuson", "Adac", "Agfa", "Aloka", "ATL", "Barco", "BK Medical", "Bruker", "Canon",
    "Carestream", "Carl Zeiss", "Cedara", "Del Medical", "Del Imaging", "DIASUS", "DRGEM",
    "Dentsply", "Eizo", "Elekta", "Elscint", "Esaote", "Fona", "FujiFilm",
    "Fuji", "GE Healthcare", "GE Medical Systems", "GE", "Giotto", "Hamamatsu", "Hitachi",
    "Hologic", "Howtek", "Imaging Dynamics", "IMS", "iCRco", "iRay", "Kodak", "Konica Minolta",
    "Konica", "Lodox", "Lorad", "Lumisys", "Marconi", "Medison", "Mindray", "Mortara",
    "Neusoft", "Oldelft", "Olympus", "Philips", "Planmed", "Planmeca", "Radlink",
    "Rayence", "Samsung", "Sectra", "Shimadzu", "Siemens", "Sirona", "Sonosite",
    "Sonoscape", "Swissray", "SuperSonic", "Toshiba", "Trex", "Trophy", "United Imaging",
    "Varian", "Vatech", "Vidar", "Vieworks", "XinaoMDT", "Ziehm",
)  # fmt: skip
_MAKER_OF = {maker.casefold(): maker for maker in _MAKERS}
_MAKER = re.compile(
    r"(?<![a-z])("
    + "|".join(sorted(map(re.escape, _MAKER_OF), key=len, reverse=True))
    + r")(?![a-z])"
)


def word_of(text: str, allowed: frozenset[str]) -> str | None:
    """Return the listed word that a text is, ignoring spaces and case; None if it is not listed."""
    word = re.sub(r"[\s_-]", "", text).upper()
    return word if word in allowed else None


def maker_of(text: str) -> str:
    """Return the maker that a text begins with or mentions, by its listed name; "" for none."""
    found = _MAKER.search(" ".join(text.casefold().replace("_", " ").split()))
    return _MAKER_OF[found[1]] if found else ""
