"""Small valid files of every type and colour mode, drawn here: what mutations start from."""

from io import BytesIO

from PIL import Image as Pillow
from PIL import ImageCms

from inference.figures import draw_figure

_SIZE = (48, 64)
_ORIENTATION = 0x0112


def valid_files() -> tuple[bytes, ...]:
    """JPEG, PNG and WebP files with and without metadata, all readable."""
    figure = Pillow.fromarray(draw_figure(1, _SIZE).image)
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    exif = Pillow.Exif()
    exif[_ORIENTATION] = 6
    metadata = {"icc_profile": profile, "exif": exif.tobytes()}
    files = [
        _save(figure, "JPEG", quality=90, **metadata),
        _save(figure, "JPEG", progressive=True, comment=b"drawn"),
        _save(figure.convert("L"), "JPEG"),
        _save(figure.convert("CMYK"), "JPEG"),
        _save(figure, "MPO", save_all=True, append_images=[figure]),
        _save(figure, "PNG", **metadata),
        _save(figure, "PNG", save_all=True, append_images=[figure.rotate(90)]),
        _save(figure, "WEBP", quality=80, **metadata),
        _save(figure, "WEBP", lossless=True),
        _save(figure, "WEBP", save_all=True, append_images=[figure.rotate(90)]),
        _save(figure.convert("RGBA"), "WEBP"),
    ]
    modes = ("1", "L", "LA", "P", "RGBA", "I;16")
    files += [_save(_in_mode(figure, mode), "PNG") for mode in modes]
    return tuple(files)


def _in_mode(picture: Pillow.Image, mode: str) -> Pillow.Image:
    if mode == "I;16":
        return picture.convert("L").convert("I").convert(mode)
    return picture.convert(mode)


def _save(picture: Pillow.Image, kind: str, **options: object) -> bytes:
    buffer = BytesIO()
    picture.save(buffer, kind, **options)
    return buffer.getvalue()
