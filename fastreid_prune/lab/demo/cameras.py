"""The cameras: where they look, and what they do to the light."""

from dataclasses import dataclass
from math import pi

import numpy as np
from PIL import Image, ImageFilter

from fastreid_prune.lab.demo.canvas import HEIGHT, WIDTH


@dataclass(frozen=True)
class Camera:
    """A place and its camera."""

    scene: str
    elevation: float  # radians that it looks down
    yaws: tuple[float, ...]  # the directions in which people walk there
    light: float  # the side the light comes from, −1 left to +1 right
    gains: tuple[float, float, float]  # of red, green, blue: its white balance
    gamma: float  # above 1 darkens the middle tones
    contrast: float
    saturation: float
    blur: float  # finished pixels
    noise: float  # standard deviation, of 255
    burst: float  # near-copies that follow an image, on average
    quality: int  # of its JPEG files


CAMERAS = (
    Camera("street", 0.16, (0.2, pi - 0.2), 0.8, (1.05, 1.0, 0.94), 0.94, 1.06, 1.05, 0.30, 3.0, 1.5, 92),
    Camera("brick", 0.10, (pi / 2, -pi / 2), -0.7, (0.92, 0.98, 1.12), 1.04, 0.94, 0.86, 0.45, 4.0, 0.6, 90),
    Camera("lawn", 0.24, (0.9, pi + 0.7), 0.5, (1.03, 1.06, 0.86), 0.90, 1.00, 1.06, 0.35, 3.0, 1.0, 92),
    Camera("shops", 0.18, (-0.6, pi / 2, pi), -0.9, (1.13, 0.98, 0.82), 1.08, 1.00, 0.95, 0.45, 4.0, 1.3, 90),
    Camera(
        "plaza", 0.38, (-0.3, pi - 0.5, -pi / 2), 0.9, (1.0, 1.02, 1.05), 0.84, 0.80, 0.80, 0.65, 3.0, 0.9, 88
    ),
    Camera("underpass", 0.20, (0.0, pi), -0.4, (1.04, 1.0, 0.78), 1.25, 1.08, 0.78, 0.75, 6.0, 0.7, 86),
)


@dataclass(frozen=True)
class Weather:
    """The light of one moment."""

    exposure: float
    warmth: float  # above 0 more red and less blue
    patches: float  # strength of light and shadow that lie over the place
    seed: int  # where these lie


def expose(image: Image.Image, camera: Camera, weather: Weather, blur: float, noise_seed: int) -> Image.Image:
    """What the camera makes of a scene.

    Args:
        image: RGB, of finished size.
        camera: its colours, its blur, its noise.
        weather: the light.
        blur: more blur (finished pixels), as of a bad focus.
        noise_seed: of the sensor's noise.

    Returns:
        RGB image of finished size.
    """
    soft = image.filter(ImageFilter.GaussianBlur((camera.blur**2 + blur**2) ** 0.5))
    light = np.asarray(soft, dtype=np.float32) / 255
    light = light * (weather.exposure * _patches(weather))[..., None]
    warm = np.array([1 + weather.warmth, 1.0, 1 - weather.warmth], dtype=np.float32)
    light = np.clip(light, 0, None) ** np.float32(camera.gamma) * (
        np.array(camera.gains, dtype=np.float32) * warm
    )
    grey = light.mean(axis=2, keepdims=True)
    light = grey + (light - grey) * np.float32(camera.saturation)
    light = 0.45 + (light - 0.45) * np.float32(camera.contrast)
    # a soft shoulder instead of burnt-out highlights
    light = np.where(light > 0.8, 0.8 + 0.2 * np.tanh((light - 0.8) / 0.2), light)
    rng = np.random.default_rng(noise_seed)
    noise = rng.normal(0, camera.noise, (HEIGHT, WIDTH, 1)) + rng.normal(
        0, camera.noise * 0.5, (HEIGHT, WIDTH, 3)
    )
    return Image.fromarray(np.clip(light * 255 + noise + 0.5, 0, 255).astype(np.uint8))


def _patches(weather: Weather) -> np.ndarray:
    """A smooth field of light and shadow, [HEIGHT, WIDTH] around 1."""
    rng = np.random.default_rng(weather.seed)
    coarse = Image.fromarray(rng.normal(0, weather.patches, (5, 4)).astype(np.float32))
    return 1 + np.asarray(coarse.resize((WIDTH, HEIGHT), Image.Resampling.BICUBIC))
