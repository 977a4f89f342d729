/*
 * The standard streams of a program that people run.
 */
#ifndef EXHIBIT_CONSOLE_H
#define EXHIBIT_CONSOLE_H

#include "common/err.h"

/* First in main(): a standard descriptor that is closed is opened on /dev/null, or the next file
   opened would get its number, and what is meant for people would be written into evidence. */
void console_begin(void);

/* Calls handler on SIGINT, SIGTERM and SIGHUP; a hang-up that is ignored (nohup) stays ignored. */
void console_catch(void (*handler)(int));

/* Last in main(): `outcome`, or, if what was printed could not be written (a full disk), the error
   is reported and OUTCOME_FAILED takes the place of a success. */
int console_end(int outcome);

#endif
