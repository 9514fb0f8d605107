// Builds the index that infini-gram mini's engine opens, by the library under it: its own scripts
// want a compiler of 2017 and split files that one machine has no use for.
#include "cpp_engine.h"

int main(int count, char** arguments) {
    if (count != 3) return 2;
    index_t index;
    construct(index, arguments[1], 1);
    return store_to_file(index, arguments[2]) ? 0 : 1;
}
