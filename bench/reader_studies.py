"""How often equal arms come out as different: simulated reader studies (Roe and Metz, 1997).

    python -m bench.reader_studies

5 readers, 50 + 50 cases, two arms without a difference, structure HH of Roe and Metz at a
separation of 1.5 (AUC .86): variances reader and reader × arm .03, case .3, case × arm .3, case ×
reader .2, rest .2. Obuchowski-Rockette with jackknife, readers and cases random.
"""

import argparse

import numpy as np

from trainer.analysis.performance.covariance import auc_matrix, jackknife
from trainer.analysis.performance.obuchowski_rockette import compare_arms
from trainer.analysis.performance.ratings import Ratings

SEPARATION = 1.5
READER = READER_ARM = 0.03
CASE, CASE_ARM, CASE_READER, REST = 0.3, 0.3, 0.2, 0.2


def made_study(rng: np.random.Generator, readers: int = 5, each: int = 50) -> Ratings:
    """Return ratings of two equal arms, (2, readers, 2 × each)."""
    arms, cases = 2, 2 * each
    truth = np.arange(cases) < each
    rating = np.zeros((arms, readers, cases))
    for side in (truth, ~truth):
        # Roe and Metz draw the reader's effects anew for each class of truth.
        rating[:, :, side] += rng.normal(0, READER**0.5, (1, readers, 1))
        rating[:, :, side] += rng.normal(0, READER_ARM**0.5, (arms, readers, 1))
    rating += rng.normal(0, CASE**0.5, (1, 1, cases))
    rating += rng.normal(0, CASE_ARM**0.5, (arms, 1, cases))
    rating += rng.normal(0, CASE_READER**0.5, (1, readers, cases))
    rating += rng.normal(0, REST**0.5, (arms, readers, cases))
    rating += SEPARATION * truth
    arm_names, reader_names, case_names = (
        tuple(map(str, range(n))) for n in (arms, readers, cases)
    )
    return Ratings(arm_names, reader_names, case_names, truth, rating)


def type_one_error(studies: int, seed: int) -> float:
    """Return the share of studies whose equal arms differ at p < .05."""
    rng = np.random.default_rng(seed)
    rejected = 0
    for _ in range(studies):
        ratings = made_study(rng)
        rejected += compare_arms(auc_matrix(ratings), jackknife(ratings)).p < 0.05
    return rejected / studies


def main() -> None:
    """Print the rate."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--studies", type=int, default=5000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    rate = type_one_error(options.studies, options.seed)
    print(f"{options.studies} studies, seed {options.seed}: p < .05 in {100 * rate:.2f} %")


if __name__ == "__main__":
    main()
