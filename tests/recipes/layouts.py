"""The trees of files, one function a data set: folders, names, columns and units as published."""

import gzip
from collections.abc import Callable
from pathlib import Path

from tests.recipes.trees import (
    HEIGHT,
    IMAGES,
    SIDES,
    WIDTH,
    as_json,
    blob,
    dicom,
    fixations,
    picture,
    table,
)

PHYSIONET = Path("physionet.org/files")
SCAN_PATHS = (
    "finding_visual_search_coco_format_train_test_filtered_max_6"
    "_split_train_valid_test_2024-07-22.json"
)


def egd_cxr(folder: Path) -> None:
    """Write eye_gaze.csv at 60 Hz, fixations.csv, master_sheet.csv; DICOM files of MIMIC-CXR.

    As in the authors' code, some rows are of the calibration picture, and gaze beside the image has
    negative coordinates.
    """
    egd = folder / PHYSIONET / "egd-cxr" / "1.0.0"
    gaze, fixed, sheet = [], [], []
    for k in range(IMAGES):
        name, side = f"{k:08x}-image", k % 2
        path = f"files/p10/p1000{k:04d}/s5000{k:04d}/{name}.dcm"
        dicom(folder / PHYSIONET / "mimic-cxr" / "2.0.0" / path, k, side)
        marks = {"Normal": 1 - side, "CHF": side, "pneumonia": 0}
        sheet.append({"dicom_id": name, "path": path, "patient_id": 10000000 + k} | marks)
        for j, (x, y) in enumerate(fixations(k, side)):
            start = 0.4 * j
            common = {"DICOM_ID": name, "SESSION_ID": 1, "FPOGX": 0.4, "FPOGY": 0.4, "FPOGS": start,
                      "FPOGID": j + 1, "FPOGV": 1, "X_ORIGINAL": x, "Y_ORIGINAL": y}  # fmt: skip
            fixed.append({"Time (in secs)": start, "FPOGD": 0.3} | common)
            for s in range(18):
                gaze.append({"Time (in secs)": round(start + s / 60, 5), "FPOGD": s / 60} | common)
    beside = {"X_ORIGINAL": -1, "Y_ORIGINAL": -1}
    for rows in (gaze, fixed):
        rows[3] |= beside
        rows += [row | beside | {"DICOM_ID": "calibration"} for row in rows[:40]]
    table(egd / "eye_gaze.csv", gaze)
    table(egd / "fixations.csv", fixed)
    table(egd / "master_sheet.csv", sheet)


def reflacx(folder: Path) -> None:
    """Write main_data/ID/fixations.csv, gaze_data/ID/gaze.csv (1,000 Hz), metadata; DICOM files.

    The first image was read twice; of the last reading the gaze was discarded. As in the authors'
    code, times count from the start of the dictation, which may come later than the gaze, and a
    blink has no position.
    """
    root = folder / PHYSIONET / "reflacx-xray-localization" / "1.0.0"
    parts = ("shown_from_image", "in_screen_coordinates")
    corners = {"xmin": 0, "ymin": 0, "xmax": WIDTH, "ymax": HEIGHT}
    shown = {f"{name}_{part}": value for part in parts for name, value in corners.items()}
    shown |= {f"angular_resolution_{axis}_pixels_per_degree": 40 for axis in "xy"}
    shown |= {"pupil_area_normalized": 0.9, "window_width": 1.0, "window_level": 0.5}
    sheets = []
    for k in [*range(IMAGES), 0, 1]:
        image, side, reading = f"{k:08x}-image", k % 2, f"P3{len(sheets):02d}R{len(sheets):06d}"
        patient, is_discarded = f"1000{k:04d}", len(sheets) == IMAGES + 1
        path = f"files/p10/p{patient}/s5000{k:04d}/{image}.dcm"
        dicom(folder / PHYSIONET / "mimic-cxr" / "2.0.0" / path, k, side)
        sheets.append({
            "id": reading, "split": "train", "eye_tracking_data_discarded": is_discarded,
            "image": "physionet.org/files/mimic-cxr/2.0.0/" + path, "dicom_id": image,
            "subject_id": patient, "image_size_x": WIDTH, "image_size_y": HEIGHT,
            "Atelectasis": 0, "Enlarged cardiac silhouette": 4 * side, "Support devices": False,
        })  # fmt: skip
        box = {"xmin": 10, "ymin": 10, "xmax": 100, "ymax": 100}
        table(root / "main_data" / reading / "chest_bounding_box.csv", [box])
        if is_discarded:
            continue
        points = list(enumerate(fixations(len(sheets), side)))
        table(root / "main_data" / reading / "fixations.csv", [
            {"timestamp_start_fixation": round(0.4 * j - 0.05, 3),
             "timestamp_end_fixation": round(0.4 * j + 0.25, 3),
             "x_position": x, "y_position": y} | shown for j, (x, y) in points
        ])  # fmt: skip
        table(root / "gaze_data" / reading / "gaze.csv", [
            {"timestamp_sample": round(0.4 * j + s / 1000 - 0.05, 3),
             "x_position": "" if j == 2 and s < 100 else x,
             "y_position": "" if j == 2 and s < 100 else y} | shown
            for j, (x, y) in points for s in range(300)
        ])  # fmt: skip
    table(root / "main_data" / "metadata_phase_3.csv", sheets)


def gazesearch(folder: Path) -> None:
    """Write the JSON of scan paths on a grid of 224; metadata and JPEGs of MIMIC-CXR-JPG."""
    root = folder / PHYSIONET / "mimic-cxr-jpg" / "2.0.0"
    paths, sheet = [], []
    for k in range(IMAGES):
        name, side, patient = f"{k:08x}-image", k % 2, f"1000{k:04d}"
        picture(root / "files" / "p10" / f"p{patient}" / f"s5000{k:04d}" / f"{name}.jpg", k, side)
        sheet.append({"dicom_id": name, "subject_id": patient, "study_id": f"5000{k:04d}"})
        points = fixations(k, side, 6)
        paths.append({
            "name": name + ".jpg", "subject": 1, "task": ("edema", "fracture")[side],
            "condition": "present", "bbox": [0, 0, 0, 0],
            "X": [x * 224 // WIDTH for x, _ in points], "Y": [y * 224 // HEIGHT for _, y in points],
            "T": [0.25, 0.3, 0.2, 0.4, 0.25, 0.5], "length": 6, "fixOnTarget": True, "correct": 1,
            "split": "train",
        })  # fmt: skip
    as_json(folder / "GazeSearch" / "data" / SCAN_PATHS, paths)
    plain = table(root / "metadata.csv", sheet)
    packed = gzip.compress(plain.read_bytes())
    (root / "mimic-cxr-2.0.0-metadata.csv.gz").write_bytes(packed)


def eyeassist(folder: Path) -> None:
    """Write EyeAssist-Neo's readerN_fixations.csv in folders by condition, JPEGs, context."""
    root = folder / "EyeAssist" / "Dataset" / "EyeAssist-Neo"
    sheet = []
    for k in range(IMAGES):
        picture(root / "Xrays" / f"{k + 1}.jpg", k, k % 2)
        diagnosis = ("NORMAL", "RDS")[k % 2]
        sheet.append({"Source_File": f"{k + 1}.jpg", "Diagnosis": diagnosis})
    table(root / "clinical context.csv", sheet)
    for condition, reader in (("expert", 1), ("expert", 2), ("generalist", 6)):
        table(root / "Gaze&Saliency" / condition / f"reader{reader}_fixations.csv", [
            {"RECORDING_SESSION_LABEL": f"reader{reader}", "Source_File": f"{k + 1}.jpg",
             "CURRENT_FIX_INDEX": j + 1, "CURRENT_FIX_X": x, "CURRENT_FIX_Y": y,
             "CURRENT_FIX_DURATION": 180 + 10 * j}
            for k in range(IMAGES) for j, (x, y) in enumerate(fixations(50 * reader + k, k % 2))
        ])  # fmt: skip


def _mcgip(path: Path, image: str, number: int, side: int) -> None:
    """Write the gaze of one image, in pixels of it resized to a height of 800."""
    scale = 800 / HEIGHT
    gaze = [[round(x * scale), round(y * scale)] for x, y in fixations(number, side, 60)]
    as_json(path, {"gaze": gaze, "img": image, "case": image, "gt": side})


def inbreast(folder: Path) -> None:
    """Write INbreast.csv with semicolons, AllDICOMs, and McGIP's gaze."""
    root, sheet = folder / "INbreast Release 1.0", []
    for k in range(IMAGES):
        number, side = str(20580000 + k), k % 2
        name = f"{number}_{k // 2:016x}_MG_{'LR'[side]}_CC_ANON.dcm"
        said = {"Modality": "MG", "BodyPartExamined": "BREAST"}
        dicom(root / "AllDICOMs" / name, k, (k // 2) % 2, **said)
        rated = ("1", "4c")[(k // 2) % 2]
        told = {"Patient ID": "removed", "Laterality": "LR"[side], "View": "CC"}
        sheet.append(told | {"File Name": number, "ACR": 2, "Bi-Rads": rated})
        _mcgip(folder / "INBreast" / "gaze" / f"{number}.json", number + ".png", k, (k // 2) % 2)
    table(root / "INbreast.csv", sheet, ";")


def oai(folder: Path) -> None:
    """Write McGIP's folders by grade, its OAI.json and its gaze."""
    lists: dict[str, list[str]] = {"train": [], "val": [], "test": []}
    for k in range(IMAGES):
        side, name = k % 2, f"90{k:05d}L"
        picture(folder / "OAI" / "img" / str(2 * side) / f"{name}.png", k, side)
        split = "test" if k >= IMAGES - 4 else "val" if k >= IMAGES - 6 else "train"
        lists[split].append(f"{2 * side}/{name}.png")
        _mcgip(folder / "OAI" / "gaze" / f"{name}.json", name + ".png", k, side)
    as_json(folder / "OAI" / "OAI.json", lists)


def tufts(folder: Path) -> None:
    """Write Radiographs, the expert's JSON and the grey maps of the expert's gaze."""
    entries = []
    for k in range(IMAGES):
        side, name = k % 2, f"{k + 1}.JPG"
        picture(folder / "TDD" / "Radiographs" / name, k, side)
        blob(folder / "TDD" / "Expert" / "gaze_map" / "gray" / name, *SIDES[side], 100 + k)
        found = [{"title": ("None", "Periapical")[side], "polygons": "none"}]
        entries.append({"External ID": name, "Description": "", "Label": {"objects": found}})
    as_json(folder / "TDD" / "Expert" / "expert.json", entries)


LAYOUTS: dict[str, Callable[[Path], None]] = {
    "egd-cxr": egd_cxr,
    "reflacx": reflacx,
    "gazesearch": gazesearch,
    "eyeassist": eyeassist,
    "inbreast": inbreast,
    "oai": oai,
    "tufts": tufts,
}
