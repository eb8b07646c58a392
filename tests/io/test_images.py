"""One place from a file to the RGB picture, whatever mode the file has."""

import io

import numpy as np
import pytest
from PIL import Image

from fastreid_prune.errors import FastreidPruneError
from fastreid_prune.io.images import is_image_name, read_rgb


@pytest.fixture
def colours():
    """[24, 16, 3] uint8: soft enough that a JPEG of it is near."""
    rows, columns = np.mgrid[0:24, 0:16]
    return np.stack([rows * 10, columns * 15, 255 - rows * 5 - columns * 5], axis=2).astype(np.uint8)


def saved(tmp_path, image, kind, **options):
    path = tmp_path / "image.jpg"  # an ending says nothing of what is in the file
    image.save(path, kind, **options)
    return path


def near(path, expected, tolerance):
    found = read_rgb(path)
    assert found.mode == "RGB"
    assert np.abs(np.asarray(found).astype(int) - expected).mean() < tolerance


@pytest.mark.parametrize(
    ("mode", "kind", "tolerance"),
    [
        ("RGB", "PNG", 0.01),
        ("RGB", "JPEG", 6),
        ("RGB", "BMP", 0.01),
        ("RGB", "TIFF", 0.01),
        ("RGB", "WEBP", 8),
        ("CMYK", "JPEG", 8),
        ("YCbCr", "JPEG", 6),
        ("RGBA", "PNG", 0.01),
        ("P", "PNG", 8),
        ("P", "GIF", 8),
    ],
)
def test_colours_stay_whatever_the_file_s_mode(tmp_path, colours, mode, kind, tolerance):
    image = Image.fromarray(colours)
    near(saved(tmp_path, image.quantize() if mode == "P" else image.convert(mode), kind), colours, tolerance)


@pytest.mark.parametrize(("mode", "kind"), [("L", "PNG"), ("L", "JPEG"), ("LA", "PNG"), ("L", "GIF")])
def test_grey_is_three_equal_channels(tmp_path, colours, mode, kind):
    grey = np.asarray(Image.fromarray(colours).convert("L"))
    near(saved(tmp_path, Image.fromarray(grey).convert(mode), kind), np.repeat(grey[..., None], 3, 2), 3)


def test_black_and_white(tmp_path):
    image = Image.fromarray(np.eye(8, dtype=bool))
    assert np.array_equal(
        np.asarray(read_rgb(saved(tmp_path, image, "PNG")))[..., 0], np.eye(8, dtype=np.uint8) * 255
    )


@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
def test_sixteen_bits_are_divided_by_256_in_every_image(tmp_path, kind):
    values = np.array([[0, 255, 256, 7000, 65535]], dtype=np.uint16)
    assert np.asarray(read_rgb(saved(tmp_path, Image.fromarray(values), kind)))[0, :, 1].tolist() == [
        0,
        0,
        1,
        27,
        255,
    ]


def test_floating_point_in_0_to_1_is_stretched(tmp_path):
    image = Image.fromarray(np.array([[0.0, 0.5, 1.0]], dtype=np.float32))
    assert np.asarray(read_rgb(saved(tmp_path, image, "TIFF")))[0, :, 0].tolist() == [0, 128, 255]


def test_transparent_pixels_are_shown_on_white(tmp_path):
    pixels = np.zeros((1, 3, 4), np.uint8)
    pixels[0, :, 0], pixels[0, :, 3] = 100, (0, 51, 255)
    assert np.asarray(read_rgb(saved(tmp_path, Image.fromarray(pixels), "PNG")))[0].tolist() == [
        [255, 255, 255],
        [224, 204, 204],
        [100, 0, 0],
    ]


def test_a_palette_with_a_transparent_colour_is_shown_on_white(tmp_path):
    image = Image.new("P", (2, 1))
    image.putpalette([10, 20, 30, 200, 100, 0])
    image.putpixel((1, 0), 1)
    path = saved(tmp_path, image, "PNG", transparency=0)
    assert np.asarray(read_rgb(path))[0].tolist() == [[255, 255, 255], [200, 100, 0]]


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("longest", [None, 8])
def test_what_lies_on_its_side_is_turned_as_exif_says(tmp_path, orientation, longest):
    upright = np.zeros((64, 32), np.uint8)
    upright[:16, :8] = 255  # one corner is white
    undo = {2: 0, 3: 3, 4: 1, 5: 5, 6: 2, 7: 6, 8: 4}  # Image.Transpose, the inverse of what the tag asks for
    image = Image.fromarray(upright).convert("RGB")
    lying = image.transpose(Image.Transpose(undo[orientation])) if orientation > 1 else image
    exif = Image.Exif()
    exif[0x0112] = orientation
    found = np.asarray(read_rgb(saved(tmp_path, lying, "JPEG", exif=exif, quality=95), longest))
    height, width = found.shape[:2]
    assert height == 2 * width
    assert found[0, 0, 0] > 200 and found[0, -1, 0] < 50 and found[-1, 0, 0] < 50


@pytest.mark.filterwarnings("ignore:Corrupt EXIF")
def test_damaged_exif_does_not_cost_the_picture(tmp_path, colours):
    path = saved(tmp_path, Image.fromarray(colours), "JPEG", exif=b"Exif\x00\x00II*\x00\xff\xff\xff\x7f")
    near(path, colours, 6)


def test_a_file_that_is_no_whole_picture_is_named(tmp_path, colours):
    path = saved(tmp_path, Image.fromarray(colours), "JPEG")
    path.write_bytes(path.read_bytes()[:-200])
    for content, said in (
        (path.read_bytes(), "cannot be decoded"),
        (b"", "an empty file"),
        (b"GIF", "no image"),
    ):
        path.write_bytes(content)
        with pytest.raises(FastreidPruneError, match=rf"{path}: {said}"):
            read_rgb(path)
    with pytest.raises(FastreidPruneError, match="no such file"):
        read_rgb(tmp_path / "gone.png")


def test_a_picture_too_large_to_decode_is_named(tmp_path, monkeypatch):
    path = saved(tmp_path, Image.new("L", (64, 64)), "PNG")
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 100)
    with pytest.raises(FastreidPruneError, match=r"image\.jpg: cannot be decoded"):
        read_rgb(path)


def test_reading_leaves_no_file_open_and_serves_threads(tmp_path, colours):
    buffer = io.BytesIO()
    Image.fromarray(colours).save(buffer, "PNG")
    path = tmp_path / "a.png"
    path.write_bytes(buffer.getvalue())
    image = read_rgb(path)
    path.unlink()
    assert np.array_equal(np.asarray(image), colours)


def test_endings_in_any_case():
    assert is_image_name("a/b.JPeG") and is_image_name("b.bmp")
    assert not is_image_name("jpg") and not is_image_name("a.jpg.txt")
