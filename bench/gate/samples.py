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
    told = {"icc_profile": profile, "exif": exif.tobytes()}
    files = [
        _saved(figure, "JPEG", quality=90, **told),
        _saved(figure, "JPEG", progressive=True, comment=b"drawn"),
        _saved(figure.convert("L"), "JPEG"),
        _saved(figure.convert("CMYK"), "JPEG"),
        _saved(figure, "MPO", save_all=True, append_images=[figure]),
        _saved(figure, "PNG", **told),
        _saved(figure, "PNG", save_all=True, append_images=[figure.rotate(90)]),
        _saved(figure, "WEBP", quality=80, **told),
        _saved(figure, "WEBP", lossless=True),
        _saved(figure, "WEBP", save_all=True, append_images=[figure.rotate(90)]),
        _saved(figure.convert("RGBA"), "WEBP"),
    ]
    modes = ("1", "L", "LA", "P", "RGBA", "I;16")
    files += [_saved(_in_mode(figure, mode), "PNG") for mode in modes]
    return tuple(files)


def _in_mode(picture: Pillow.Image, mode: str) -> Pillow.Image:
    if mode == "I;16":
        return picture.convert("L").convert("I").convert(mode)
    return picture.convert(mode)


def _saved(picture: Pillow.Image, kind: str, **options: object) -> bytes:
    buffer = BytesIO()
    picture.save(buffer, kind, **options)
    return buffer.getvalue()
