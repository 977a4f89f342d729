/*
 * Errors: what ended a call, for the person at the terminal. A fallible call takes a struct err *
 * and returns -1 (or NULL) after filling it; callers may put context in front on the way up; only
 * a main() reports it, once. What is wrong with the evidence is a finding, never an error.
 */
#ifndef EXHIBIT_ERR_H
#define EXHIBIT_ERR_H

/* The exit codes of every program; the numbers are the command line's contract. */
enum outcome {
    OUTCOME_DONE = 0,        /* nothing to report */
    OUTCOME_FAILED = 1,      /* I/O, environment */
    OUTCOME_USAGE = 2,       /* usage, or options that conflict */
    OUTCOME_FINDINGS = 3,    /* done, with findings */
    OUTCOME_INTERRUPTED = 4, /* signal, no space, source gone */
    OUTCOME_REFUSED = 5,     /* refused for safety; nothing was touched */
    OUTCOME_MISMATCH = 6,    /* acquired, but the read-back does not match */
};

struct err {
    enum outcome outcome; /* the exit code that this error asks for */
    int sys;              /* the errno behind it, or 0 */
    char text[2048];      /* lower case, problem first, subject in 'quotes'; raw, not escaped */
};

#define ERR_INIT                                                                                   \
    {                                                                                              \
        .outcome = OUTCOME_FAILED                                                                  \
    }

/* Each returns -1, so that a caller can write `return err_set(...)`. err may not be NULL. */
int err_set(struct err *err, enum outcome outcome, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* As err_set with OUTCOME_FAILED; appends ": " and the text of errno, and keeps errno in sys. */
int err_errno(struct err *err, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Puts "context: " in front of the text. */
int err_context(struct err *err, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* clang-tidy looks at one file at a time; without this it follows paths on which a failed call has
   returned 0. */
#if defined(__clang_analyzer__) && !defined(EXHIBIT_ERR_C)
#define err_set(...) (err_set(__VA_ARGS__), -1)
#define err_errno(...) (err_errno(__VA_ARGS__), -1)
#define err_context(...) (err_context(__VA_ARGS__), -1)
#endif

/* Prints "exhibit: TEXT" on stderr, control characters and bad UTF-8 escaped. Returns the outcome,
   so that a main() can write `return err_report(&err)`. */
int err_report(const struct err *err);

#endif
