"""Settings: layers, what excludes what, what is refused and by which name."""

from dataclasses import replace
from pathlib import Path

import pytest

from trainer.config.config import ENCODERS, PAIRS, RunConfig
from trainer.config.idle import idle_settings
from trainer.config.layers import make_config
from trainer.config.methods import METHODS
from trainer.config.recipes import RECIPES, settings_of
from trainer.errors import ConfigError
from trainer.process.set_options import parse_settings, read_config


def test_later_layers_win_over_earlier_ones() -> None:
    config = make_config({"batch": 8, "epochs": 2}, {"batch": 16})
    assert (config.batch, config.epochs, config.size) == (16, 2, RunConfig().size)


def test_a_file_is_read_with_its_table_of_measure_parameters(tmp_path: Path) -> None:
    path = tmp_path / "run.toml"
    path.write_text('pairs = "mcgip"\nlr = 1\n[measure_parameters]\ncanvas = 400\n')
    config = make_config(read_config(path))
    assert config.pairs == "mcgip"
    assert config.lr == 1.0
    assert isinstance(config.lr, float)
    assert config.measure_parameters == {"canvas": 400}


def test_a_threshold_clears_the_default_rate_and_the_other_way_round() -> None:
    by_threshold = make_config({"threshold": 0.95})
    assert (by_threshold.threshold, by_threshold.positive_rate) == (0.95, None)
    by_rate = make_config({"threshold": 0.95}, {"positive_rate": 0.1})
    assert (by_rate.threshold, by_rate.positive_rate) == (None, 0.1)


def test_a_layer_that_gives_both_rules_is_refused() -> None:
    with pytest.raises(ConfigError, match="threshold and positive_rate"):
        make_config({"threshold": 0.9, "positive_rate": 0.1})


@pytest.mark.parametrize(
    ("layer", "message"),
    [
        ({"bach": 3}, "'bach'.*Did you mean 'batch'.*Settings are .*batch"),
        ({"batch": 1}, "batch is 1.*between 2"),
        ({"batch": "many"}, "batch must be a whole number"),
        ({"batch": 4.5}, "batch must be a whole number"),
        ({"flip": 1}, "flip must be true or false"),
        ({"drop": 1.0}, "drop is 1.0"),
        ({"positive_rate": 0}, "positive_rate is 0"),
        ({"threshold": float("nan")}, "threshold is nan"),
        ({"lr": float("nan")}, "lr is nan"),
        ({"method": "dino"}, "method is 'dino'; it must be one of byol, mocov2"),
        ({"measure": "taste"}, "measure is 'taste'; it must be one of .*tima"),
        ({"encoder": "vit"}, "encoder is 'vit'; it must be one of resnet10, resnet18"),
        ({"name": "../away"}, "name is"),
        ({"threshold": None, "positive_rate": None}, "Neither"),
        ({"warmup_epochs": -1.0}, "warmup_epochs is -1"),
        (
            {"measure": "tima", "measure_parameters": {"epsi": 1}},
            "measure_parameters: tima has no parameter 'epsi'",
        ),
        (
            {"measure": "tima", "measure_parameters": {"eps": "wide"}},
            "measure_parameters: tima.eps must be",
        ),
        ({"measure_parameters": {"eps": 0.1}}, "auto chooses the measure itself.*--measure"),
        (
            {"measure_parameters": {"combine": "median"}},
            "combine must be mean, max or first",
        ),
    ],
)
def test_what_cannot_be_is_refused_by_name(layer: dict, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        make_config(layer)


def test_a_mistyped_setting_is_refused_though_a_stronger_layer_hides_it() -> None:
    with pytest.raises(ConfigError, match="epochs must be a whole number"):
        make_config({"epochs": 2.5}, {"epochs": 3})


def test_warm_up_is_ten_epochs_or_a_tenth_of_a_short_run_unless_given() -> None:
    assert make_config({"epochs": 400}).warmup == 10
    assert make_config({"epochs": 20}).warmup == 2
    assert make_config({"epochs": 20, "warmup_epochs": 10}).warmup == 10


def test_a_file_that_is_no_toml_is_named(tmp_path: Path) -> None:
    path = tmp_path / "run.toml"
    path.write_text("batch = = 3")
    with pytest.raises(ConfigError, match=r"run\.toml is not valid TOML"):
        read_config(path)
    with pytest.raises(ConfigError, match=r"absent\.toml cannot be read"):
        read_config(tmp_path / "absent.toml")


def test_settings_in_words_become_values() -> None:
    settings = ["lr=1e-3", "flip=False", "recipe=mammo", "measure_parameters.canvas=400"]
    assert parse_settings(settings) == {
        "lr": 1e-3,
        "flip": False,
        "recipe": "mammo",
        "measure_parameters": {"canvas": 400},
    }
    with pytest.raises(ConfigError, match="NAME=VALUE"):
        parse_settings(["batch"])


def test_the_hash_follows_what_shapes_the_weights_only() -> None:
    config = RunConfig()
    assert config.hash() == RunConfig().hash()
    assert replace(config, name="again", device="cpu").hash() == config.hash()
    for change in (
        {"seed": 1},
        {"lr": 1e-4},
        {"pairs": "none"},
        {"measure_parameters": {"eps": 1}},
    ):
        assert replace(config, **change).hash() != config.hash()


def test_the_names_offered_are_those_that_exist() -> None:
    from trainer.encoders.nets import encoder_names
    from trainer.methods.registry import make_method

    for name, spec in METHODS.items():
        made = make_method(make_config({"method": name, "encoder": "resnet18"}))
        assert type(made).__name__ == spec.net
    assert encoder_names() == ENCODERS


def test_settings_of_an_unknown_method_are_refused() -> None:
    assert settings_of("mammo", "byol")["accumulate"] == 16
    with pytest.raises(ConfigError, match="method is 'byoll'; it must be one of byol, mocov2"):
        settings_of("mammo", "byoll")


@pytest.mark.parametrize("recipe", RECIPES)
@pytest.mark.parametrize("method", METHODS)
def test_a_plain_run_and_a_gaze_run_differ_in_their_pairs_alone(recipe: str, method: str) -> None:
    runs = [
        make_config({"recipe": recipe, "method": method, "pairs": pairs}).shaping()
        for pairs in PAIRS
    ]
    for other in runs[1:]:
        assert [k for k, v in other.items() if v != runs[0][k]] == ["pairs"]


def test_simsiam_has_a_rate_of_its_own_unless_told() -> None:
    assert make_config({"method": "simsiam"}).lr == 1e-4
    assert make_config({"method": "simsiam", "lr": 3e-4}).lr == 3e-4
    assert make_config({"method": "byol"}).lr == 3e-4


def test_a_recipe_brings_its_released_settings_and_the_users_win() -> None:
    mammo = make_config({"recipe": "mammo"})
    assert (mammo.size, mammo.batch, mammo.accumulate, mammo.lr) == (224, 32, 16, 2e-5)
    assert (mammo.threshold, mammo.positive_rate, mammo.drop) == (0.95, None, 0.5)
    dental = make_config({"recipe": "dental", "method": "mocov2"})
    assert (dental.view, dental.batch, dental.threshold) == ((300, 600), 8, 0.7)
    mine = make_config({"recipe": "mammo", "lr": 1e-3}, {"positive_rate": 0.1, "size": 64})
    assert (mine.lr, mine.size, mine.threshold, mine.positive_rate) == (1e-3, 64, None, 0.1)


def test_other_names_of_encoders_and_methods_are_understood() -> None:
    config = make_config(
        {"encoder": "ViT-small", "method": "moco_v3", "size": 224, "positive_rate": 0.1}
    )
    assert (config.encoder, config.method) == ("vit_s_16", "mocov3")
    with pytest.raises(ConfigError, match="multiple of 16"):
        make_config({"encoder": "vit_s_16", "size": 100})


@pytest.mark.parametrize(
    ("given", "said"),
    [
        pytest.param({"pairs": "none"}, [], id="nothing given"),
        pytest.param({"softness": 0.5, "agreement": True}, [], id="all have an effect"),
        pytest.param({"method": "trajectory", "path_order": "shuffled"}, [], id="of its method"),
        pytest.param(
            {"pairs": "none", "softness": 0.5, "agreement": True, "unread_encoder": "e"},
            ["softness, agreement and unread_encoder have no effect: they are only used for "
             "pairs by gaze, but pairs is none."],
            id="pairs without gaze",
        ),
        pytest.param(
            {"pairs": "label", "neighbours": 5},
            ["neighbours has no effect: it is only used for pairs by gaze, but pairs is label."],
            id="pairs of labels",
        ),
        pytest.param(
            {"path_weight": 2.0},
            ["path_weight has no effect: it is only used by methods that follow fixations, but "
             "method is byol."],
            id="another method",
        ),
        pytest.param(
            {"mutual": False},
            ["mutual has no effect: it is only used with nearest neighbours, but neighbours is 0."],
            id="no neighbours",
        ),
        pytest.param({"init": "e", "norm": "group", "encoder": "vit_small_16"}, [],
                     id="a start without batch normalisation"),
        pytest.param(
            {"init": "e", "norm": "group"},
            ["norm is group, whose layers start from scratch: the batch normalisation learned by "
             "the init file is lost. Set norm to batch to keep it."],
            id="a start whose batch normalisation is thrown away",
        ),
    ],
)  # fmt: skip
def test_settings_without_effect_are_named(given: dict[str, object], said: list[str]) -> None:
    assert idle_settings(replace(RunConfig(), **given)) == said
