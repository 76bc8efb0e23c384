"""What changes at a station after its first push reaches the server with the next."""

from sqlalchemy import select

from app.hanging.grouping import Arrival, hang_cases
from app.images.clearing import black_out, clear
from app.workspace.cohort_edits import decide, tell_images
from migrations.study.cohort_rules import choice_of
from migrations.study.database import Database
from migrations.study.folder import Study
from migrations.study.schema import CaseImage, Image, Reading, StudyCase
from migrations.study.sync.push import push
from tests.app.interchange.readings import add_readings
from trainer.data.cohort import load_cohort


def _images(database: Database) -> list[Image]:
    with database.read() as session:
        found = session.scalars(select(Image).order_by(Image.id)).all()
        session.expunge_all()
    return list(found)


def _on_server(study: Study, url: str) -> Study:
    return Study.open(study.folder, database_url=url)


def test_an_image_blacked_out_after_a_push_is_still_found_for_training(
    study: Study, server: Database
) -> None:
    add_readings(study, ("R-01",))
    push(study.database, server)
    first, second = (image.id for image in _images(study.database))
    black_out(study, first, [(0, 0, 3, 3)], "AQ")
    clear(study, [first], "AQ")
    with study.database.write() as session:  # as an import with `--labels` does afterwards
        session.get_one(Image, second).label = "mass"
    assert push(study.database, server).changed == 2
    for mine, theirs in zip(_images(study.database), _images(server), strict=True):
        for name in ("sha256", "cleared_by", "details", "label"):
            assert getattr(theirs, name) == getattr(mine, name), name
    on_server = _on_server(study, server.url)
    cohort = load_cohort(on_server)
    on_server.close()
    assert len(cohort.members) == 2
    assert push(study.database, server).changed == 0


def test_a_copy_of_the_study_that_was_not_cleared_undoes_nothing(
    study: Study, server: Database
) -> None:
    push(study.database, server)
    first = _images(study.database)[0].id
    with server.write() as session:  # as the other station's push left it
        image = session.get_one(Image, first)
        image.cleared_by, image.sha256 = "AQ", "f" * 64
        image.details = {**image.details, "blacked_out": [[0, 0, 3, 3]]}
        image.label, image.split = "mass", "test"
    clear(study, [first], "later")
    assert push(study.database, server).changed == 0
    theirs = _images(server)[0]
    assert (theirs.cleared_by, theirs.label) == ("AQ", "mass")


def test_images_joined_into_a_case_before_anyone_read_them_hang_so_on_the_server(
    study: Study, server: Database
) -> None:
    push(study.database, server)
    arrivals = [Arrival(image.id, "A") for image in _images(study.database)]
    assert hang_cases(study, arrivals, "two-up") == 1
    assert push(study.database, server).changed == 1
    with study.database.read() as session:
        (case,) = session.scalars(select(StudyCase.id))
    with server.read() as session:
        tiles = session.scalars(
            select(CaseImage.image_id).where(CaseImage.case_id == case).order_by(CaseImage.tile)
        ).all()
        assert session.get_one(StudyCase, case).hanging == "two-up"
    assert tiles == [a.image_id for a in arrivals]
    add_readings(study, ("R-01",))
    report = push(study.database, server)
    assert (report.readings, report.changed) == (2, 0)


def _choice(database: Database, reading_id: str) -> dict | None:
    with database.read() as session:
        return choice_of(session.get_one(Reading, reading_id))


def test_the_later_choice_of_a_reading_stands(study: Study, server: Database) -> None:
    add_readings(study, ("R-01",))
    push(study.database, server)
    with study.database.read() as session:
        reading = session.scalars(select(Reading.id).order_by(Reading.id)).first()
    decide(study, [reading], False, "second screen")
    assert push(study.database, server).changed == 1
    assert _choice(server, reading)["reason"] == "second screen"
    on_server = _on_server(study, server.url)
    decide(on_server, [reading], True, "looked at it again")  # in the workspace, which reads it
    on_server.close()
    assert push(study.database, server).changed == 0
    assert _choice(server, reading)["keep"]
    decide(study, [reading], None, "")
    assert push(study.database, server).changed == 1
    assert _choice(server, reading) is None


def _cases(database: Database) -> list[str]:
    with database.read() as session:
        return list(session.scalars(select(StudyCase.id).order_by(StudyCase.id)))


def _told(database: Database, case_id: str) -> tuple[str | None, str | None]:
    with database.read() as session:
        query = select(Image.label, Image.split).join(CaseImage, CaseImage.image_id == Image.id)
        return tuple(session.execute(query.where(CaseImage.case_id == case_id)).one())


def test_labels_and_splits_typed_over_after_a_push_follow_and_the_last_edit_holds(
    study: Study, server: Database
) -> None:
    case = _cases(study.database)[0]
    tell_images(study, case, "label", "mass")
    push(study.database, server)
    tell_images(study, case, "label", "cyst")
    tell_images(study, case, "split", "val")
    push(study.database, server)
    assert _told(server, case) == ("cyst", "val")
    tell_images(study, case, "label", "mass")  # a word that was there before
    assert push(study.database, server).changed == 1
    assert _told(server, case) == ("mass", "val")
    on_server = _on_server(study, server.url)
    for word in ("cyst", "mass", "scar"):  # in the workspace, which reads the server
        tell_images(on_server, case, "label", word)
        assert _told(server, case)[0] == word
    on_server.close()
    assert push(study.database, server, compare=True).changed == 0
    assert _told(server, case) == ("scar", "val")
    tell_images(study, case, "label", "")
    push(study.database, server)
    assert _told(server, case) == (None, "val")


def test_a_label_taken_away_on_the_server_is_not_set_again_by_the_stations_next_push(
    study: Study, server: Database
) -> None:
    case = _cases(study.database)[0]
    with study.database.write() as session:  # as an import with labels does
        for image in session.scalars(select(Image)):
            image.label = "mass"
    push(study.database, server)
    on_server = _on_server(study, server.url)
    tell_images(on_server, case, "label", "")
    on_server.close()
    assert push(study.database, server, compare=True).changed == 0
    assert _told(server, case)[0] is None
    tell_images(study, case, "label", "cyst")  # said anew by hand, after that
    assert push(study.database, server).changed == 1
    assert _told(server, case)[0] == "cyst"
