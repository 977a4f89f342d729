/*
 * What one thread of a process may do to be a good neighbour of the others.
 */
#ifndef EXHIBIT_COMMON_THREAD_H
#define EXHIBIT_COMMON_THREAD_H

/* From here on the calling thread leaves the processor to the others of its process when they want
   it. For work that any of several threads may do, beside a thread that must do all of its own and
   so decides when the whole is done: on few cores the scheduler's fairness would hold that one up.
   Where it is refused, nothing changes. */
void thread_give_way(void);

#endif
