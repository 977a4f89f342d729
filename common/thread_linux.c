#include "common/thread.h"

#include <unistd.h>

/* A third of the weight of a thread that does not give way (sched(7)): enough to keep the other
   from waiting, and not so little that a third process could starve this one. */
#define GIVE_WAY 5

/* On Linux a nice value belongs to a thread (setpriority(2), under "C library/kernel differences").
 */
void
thread_give_way(void)
{
    int ignored = nice(GIVE_WAY);

    (void)ignored; /* refused, nothing changes */
}
