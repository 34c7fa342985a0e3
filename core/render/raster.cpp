#include <unroll/core/render/raster.hpp>

#include <unroll/core/array/error.hpp>

#include <algorithm>
#include <cmath>
#include <memory>

#include <cairo-pdf.h>
#include <cairo.h>
#include <fmt/format.h>
#include <librsvg/rsvg.h>

namespace unroll::drawing {

namespace {

struct Release {
  void operator()(RsvgHandle* handle) const { g_object_unref(handle); }
  void operator()(GInputStream* stream) const { g_object_unref(stream); }
  void operator()(GError* error) const { g_error_free(error); }
  void operator()(cairo_surface_t* surface) const { cairo_surface_destroy(surface); }
  void operator()(cairo_t* context) const { cairo_destroy(context); }
};
template <class T> using Owned = std::unique_ptr<T, Release>;

[[noreturn]] void fail(const char* what, GError* error) {
  const Owned<GError> owner(error);
  throw Error(fmt::format("render: {}: {}", what, error ? error->message : "no reason given"));
}

void require(const char* what, cairo_status_t status) {
  if (status != CAIRO_STATUS_SUCCESS) throw Error(fmt::format("render: {}: {}", what, cairo_status_to_string(status)));
}

class Picture {
 public:
  // "Unlimited" lifts the bounds of the XML reader, which are for files of strangers: a long network has more than 10 MB.
  explicit Picture(const std::string& svg) {
    const Owned<GInputStream> stream(
        g_memory_input_stream_new_from_data(svg.data(), static_cast<gssize>(svg.size()), nullptr));
    GError* error = nullptr;
    handle_.reset(rsvg_handle_new_from_stream_sync(stream.get(), nullptr, RSVG_HANDLE_FLAG_UNLIMITED, nullptr, &error));
    if (!handle_) fail("librsvg does not read the drawing", error);
    gboolean has_width = FALSE, has_height = FALSE, has_box = FALSE;
    RsvgLength w{}, h{};
    RsvgRectangle box{};
    rsvg_handle_get_intrinsic_dimensions(handle_.get(), &has_width, &w, &has_height, &h, &has_box, &box);
    width = box.width;
    height = box.height;
    if (!has_box || !(width > 0 && height > 0)) throw Error("render: the drawing has no size (no viewBox)");
  }

  // Over the whole surface.
  void paint(cairo_surface_t* surface, double surface_width, double surface_height) const {
    const Owned<cairo_t> context(cairo_create(surface));
    require("cairo does not start", cairo_status(context.get()));
    const RsvgRectangle viewport{0, 0, surface_width, surface_height};
    GError* error = nullptr;
    if (!rsvg_handle_render_document(handle_.get(), context.get(), &viewport, &error))
      fail("librsvg does not paint the drawing", error);
    require("cairo does not paint the drawing", cairo_status(context.get()));
  }

  double width = 0, height = 0;  // in points

 private:
  Owned<RsvgHandle> handle_;
};

cairo_status_t append(void* to, const unsigned char* bytes, unsigned int count) {
  try {
    static_cast<std::string*>(to)->append(reinterpret_cast<const char*>(bytes), count);
    return CAIRO_STATUS_SUCCESS;
  } catch (const std::bad_alloc&) {  // must not pass through the library
    return CAIRO_STATUS_NO_MEMORY;
  }
}

}  // namespace

Raster png_of(const std::string& svg) {
  const Picture picture(svg);
  const double resolution = std::min({full_resolution, 72 * longest_side / std::max(picture.width, picture.height),
                                      72 * std::sqrt(most_pixels / (picture.width * picture.height))});
  if (resolution < least_resolution)
    throw Error(fmt::format(
        "render: a drawing of {:.0f} x {:.0f} points is too large for a PNG: at {} pixels per inch it would have "
        "{:.0f} x "
        "{:.0f} pixels, and {:.0f} on a side and {:.0f} million in all are the most; draw it as .svg or .pdf, or with "
        "fewer steps (collapse) or boxes (budget)",
        picture.width, picture.height, least_resolution, picture.width * least_resolution / 72,
        picture.height * least_resolution / 72, longest_side, most_pixels / 1e6));
  const auto pixels = [&](double points) {
    const double exact = points * resolution / 72;
    return std::max(
        1, static_cast<int>(resolution < full_resolution ? std::floor(exact + 1e-6) : std::ceil(exact - 1e-6)));
  };
  const int width = pixels(picture.width), height = pixels(picture.height);
  const Owned<cairo_surface_t> surface(cairo_image_surface_create(CAIRO_FORMAT_RGB24, width, height));
  require("cairo has no room for the picture", cairo_surface_status(surface.get()));
  picture.paint(surface.get(), width, height);
  Raster result;
  require("cairo does not write the PNG", cairo_surface_write_to_png_stream(surface.get(), append, &result.bytes));
  if (resolution < full_resolution)
    result.note = fmt::format(
        "the drawing is large: this PNG of {} x {} pixels has {:.0f} pixels per inch instead of {:.0f}; .svg and .pdf "
        "are "
        "sharp at any size",
        width, height, resolution, full_resolution);
  return result;
}

Raster pdf_of(const std::string& svg) {
  const Picture picture(svg);
  const double scale = std::min(1.0, longest_page / std::max(picture.width, picture.height));
  const double width = picture.width * scale, height = picture.height * scale;
  Raster result;
  {
    const Owned<cairo_surface_t> surface(cairo_pdf_surface_create_for_stream(append, &result.bytes, width, height));
    require("cairo does not start a PDF", cairo_surface_status(surface.get()));
    // Cairo would write the time of day.
    cairo_pdf_surface_set_metadata(surface.get(), CAIRO_PDF_METADATA_CREATE_DATE, "");
    picture.paint(surface.get(), width, height);
    cairo_surface_finish(surface.get());
    require("cairo does not write the PDF", cairo_surface_status(surface.get()));
  }
  if (scale < 1)
    result.note = fmt::format(
        "the drawing is large: this PDF is scaled down to {:.3g} %, the largest page that readers show", 100 * scale);
  return result;
}

}  // namespace unroll::drawing
