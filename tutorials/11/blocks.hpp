#pragma once

// Draws the weights of an LSTM as blocks, to scale: a square of 5 points is one number.
#include <unroll/core/array/whole_file.hpp>

#include <string>
#include <vector>

#include <fmt/format.h>

struct BlockPanel {
  std::string title, note;
  std::string order;  // "ifgo"
  int biases = 1;
  bool tall = false;  // the blocks stand one below the other
};

class BlockPicture {
 public:
  BlockPicture(int input, int hidden) : input_(input), hidden_(hidden) {}

  void draw(const std::vector<BlockPanel>& panels, const std::string& file) {
    for (const BlockPanel& panel : panels) add(panel);
    unroll::write_whole_file(file, fmt::format("<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{0}\" height=\"{1}\" "
                                               "viewBox=\"0 0 {0} {1}\" role=\"img\" "
                                               "font-family=\"Helvetica,Arial,sans-serif\" font-size=\"12\">\n<rect "
                                               "width=\"{0}\" height=\"{1}\" fill=\"#fff\"/>\n{2}</svg>\n",
                                               right_, bottom_, body_));
  }

 private:
  static constexpr int unit = 5, gap = 8, margin = 16, label = 34;

  // Four blocks of `across` numbers (the direction in which a matrix sees its operand) by `hidden` numbers each.
  void matrix(const BlockPanel& panel, int x, int y, int across, const std::string& name) {
    const int w = unit * (panel.tall ? across : hidden_), h = unit * (panel.tall ? hidden_ : across);
    for (std::size_t k = 0; k < panel.order.size(); ++k) {
      const char letter = panel.order[k];
      const int at = static_cast<int>(k);
      const char* colour = letter == 'f'   ? "#fbe0d3"
                           : letter == 'i' ? "#d2ece3"
                           : letter == 'o' ? "#f9ecbf"
                                           : "#d8e6f4";
      const int left = x + (panel.tall ? 0 : at * w), top = y + (panel.tall ? at * h : 0);
      body_ += fmt::format("<rect x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\" fill=\"{}\" stroke=\"#444\"/>\n", left,
                           top, w, h, colour);
      if (across >= 2)
        body_ += fmt::format("<text x=\"{}\" y=\"{}\" text-anchor=\"middle\">{}</text>\n", left + w / 2,
                             top + h / 2 + 4, letter);
    }
    if (panel.tall)
      body_ += fmt::format("<text x=\"{}\" y=\"{}\" text-anchor=\"middle\" fill=\"#333\">{}</text>\n", x + w / 2, y - 6,
                           name);
    else
      body_ += fmt::format("<text x=\"{}\" y=\"{}\" text-anchor=\"end\" fill=\"#333\">{}</text>\n", x - 6,
                           y + h / 2 + 4, name);
  }

  void add(const BlockPanel& panel) {
    const int x = right_ + margin, y = 24;
    body_ += fmt::format(
        "<text x=\"{}\" y=\"{}\" font-weight=\"bold\">{}</text>\n<text x=\"{}\" y=\"{}\" fill=\"#333\">{}</text>\n", x,
        y, panel.title, x, y + 18, panel.note);
    int along = (panel.tall ? x : y + label), widest = 0;
    const auto put = [&](int across, const std::string& name) {
      if (panel.tall)
        matrix(panel, along, y + 2 * label, across, name);
      else
        matrix(panel, x + label, along, across, name);
      along += unit * across + gap + (panel.tall ? 14 : 0);
    };
    put(input_, "W");
    put(hidden_, "U");
    for (int i = 0; i < panel.biases; ++i) put(1, panel.biases == 1 ? "b" : i == 0 ? "b1" : "b2");
    widest = panel.tall ? along - x : label + unit * 4 * hidden_;
    right_ = x + std::max(widest, 7 * static_cast<int>(std::max(panel.title.size(), panel.note.size())));
    bottom_ = std::max(bottom_, (panel.tall ? y + 2 * label + unit * 4 * hidden_ : along) + margin);
  }

  int input_, hidden_, right_ = 0, bottom_ = 0;
  std::string body_;
};
