"""Which recipe a machine and a data set get."""

import math

import pytest

from fastreid_prune.lab.audit.recipe import (
    ENOUGH_ITERATIONS,
    RECIPES,
    Facts,
    Machine,
    Schedule,
    choose_recipe,
    fit,
)

CPU = Schedule(12, 64, 60, (7, 10), (128, 64))
PEOPLE = Facts(2696, 150, 128, 64)


def test_the_machine_decides_unless_a_person_does(tmp_path):
    weights = tmp_path / "w.pth"
    assert choose_recipe(Machine("H100", 16, weights))[0] == "gpu"
    assert choose_recipe(Machine("", 2, weights))[0] == "cpu"
    assert choose_recipe(Machine("", 2, None, "pip cannot fetch them"))[0] == "small"
    assert "pip cannot fetch them" in choose_recipe(Machine("", 2, None, "pip cannot fetch them"))[1]
    assert choose_recipe(Machine("H100", 16, None), "small")[0] == "small"


def test_recipes_are_in_the_package_and_score_for_the_paper_s_twelve_epochs():
    from fastreid_prune.plugin.recipes import resolve
    from fastreid_prune.plugin.shipped import CONFIGS

    for scoring, retraining in RECIPES.values():
        assert resolve(CONFIGS / scoring).epochs == 12
        assert resolve(CONFIGS / retraining).epochs >= 12


def test_a_data_set_like_those_the_recipe_was_made_on_keeps_it():
    fitted = fit(CPU, PEOPLE)
    assert fitted.options == {"TEST.EVAL_PERIOD": 12}
    assert fitted.reasons == [
        "12 epochs of 42 iterations, each of 64 images of 128x64 pixels (height x width)."
    ]


@pytest.mark.parametrize("images", [200, 600, 1200, 1500])
def test_a_small_set_gets_iterations_enough_and_is_told_why(images):
    fitted = fit(CPU, Facts(images, 60, 128, 64))
    epochs = fitted.options["SOLVER.MAX_EPOCH"]
    iterations = images // 64 * epochs
    assert iterations >= ENOUGH_ITERATIONS or epochs == 60
    assert fitted.options["SOLVER.STEPS"] == [round(7 * epochs / 12), round(10 * epochs / 12)]
    assert fitted.options["SOLVER.CHECKPOINT_PERIOD"] == math.ceil(epochs / 4)
    assert any(f"{epochs} epochs, not 12" in reason for reason in fitted.reasons)


def test_few_identities_get_a_batch_that_the_sampler_can_fill():
    assert fit(CPU, Facts(300, 5, 128, 64)).options["SOLVER.IMS_PER_BATCH"] == 20
    assert fit(CPU, Facts(30, 15, 128, 64)).options["SOLVER.IMS_PER_BATCH"] == 28


@pytest.mark.parametrize(
    ("height", "width", "size"),
    [
        (300, 120, [128, 64]),
        (64, 32, [64, 32]),
        (200, 220, [96, 96]),
        (64, 64, [48, 48]),
        (105, 400, [96, 96]),
    ],
)
def test_the_input_has_the_images_shape_and_no_more_pixels_than_they_need(height, width, size):
    options = fit(CPU, Facts(2696, 150, height, width)).options
    assert options.get("INPUT.SIZE_TRAIN", [128, 64]) == size == options.get("INPUT.SIZE_TEST", [128, 64])


def test_what_a_person_gave_stays():
    given = ("SOLVER.MAX_EPOCH", "SOLVER.IMS_PER_BATCH", "INPUT.SIZE_TRAIN", "SOLVER.WARMUP_ITERS")
    fitted = fit(Schedule(2, 64, 60, (7, 10), (32, 32)), Facts(200, 5, 64, 64), given)
    assert fitted.options == {"TEST.EVAL_PERIOD": 2} and len(fitted.reasons) == 1
