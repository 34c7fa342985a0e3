#pragma once

#include <unroll/core/array/array.hpp>
#include <unroll/core/array/random.hpp>

#include <cstdint>

// The sequences of the published tasks, drawn anew for every batch. One answer is asked for, at the end of each sequence.
namespace unroll::reproduce {

struct Batch {
  Array x;       // (time, batch, input)
  Array target;  // (batch, output)
};

// The adding problem as it is used today (Le, Jaitly and Hinton 2015; Arjovsky, Shah and Bengio 2016): x holds a value of U[0, 1] and a mark; one
// step of the first half and one of the second are marked with 1, all others with 0. Target: the sum of the two marked values, (batch, 1).
// Always answering 1 has an expected squared error of 1/6.
Batch adding_problem(std::int64_t time, std::int64_t batch, Generator& generator);

// The adding problem of 1997 (experiment 4), one sequence: T to T + T/10 steps, values of U[-1, 1]; a mark of 1 at one of the first ten steps and at
// one of the first T/2 - 1 others, -1 at the first and last step, 0 elsewhere. Where the first step is marked, its value is 0. Target:
// 0.5 + (X1 + X2) / 4.
Batch adding_problem_1997(std::int64_t T, Generator& generator);

// Temporal order (experiment 6), one sequence of 100 to 110 symbols: E, then a, b, c or d, and at the end B; at two places (between steps 10 and
// 20, 50 and 60) or three (10 and 20, 33 and 43, 66 and 76) X or Y instead. Target: which of the 4 or 8 orders, as 1 among zeros.
// Input: 8 rows of zeros and a 1. Steps count from 1.
Batch temporal_order(std::int64_t places, Generator& generator);

// Recall over a lag: +1 or -1 in the first channel of step 1 must be answered at step 1 + lag; the second channel is noise of U[-1, 1] at every
// step. Target: +1 or -1, (batch, 1).
Batch recall(std::int64_t lag, std::int64_t batch, Generator& generator);

// The copy task (Hochreiter and Schmidhuber 1997; Arjovsky, Shah and Bengio 2016): ten symbols of 0 .. 7, T - 1 blanks (8), a marker (9), and ten
// more blanks, during which the ten symbols must be repeated. T + 20 targets for each sequence, step after step, batch within step: blanks, and
// at the end the ten symbols.
struct CopySequences {
  std::vector<std::int64_t> symbols, targets;  // both (T + 20) * batch
};
CopySequences copy_task(std::int64_t T, std::int64_t batch, Generator& generator);

}  // namespace unroll::reproduce
