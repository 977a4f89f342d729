#include "acquire/front/space.h"

bool
space_look(struct space *s, uint64_t left, uint64_t done, uint64_t length)
{
    uint64_t used;
    double ratio;

    if (!s->begun) {
        *s = (struct space){.begun = true, .free_at_first = left, .done_at_first = done};
        return false;
    }
    if (s->told || done > length || done < s->done_at_first ||
        done - s->done_at_first < SPACE_SAMPLE)
        return false;
    used = left < s->free_at_first ? s->free_at_first - left : 0;
    ratio = (double)used / (double)(done - s->done_at_first);
    s->need = (uint64_t)(ratio * (double)(length - done));
    s->told = s->need > left;
    return s->told;
}
