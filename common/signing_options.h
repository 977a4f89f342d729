/*
 * The options by which a signer is named, the same in every program that signs.
 */
#ifndef EXHIBIT_SIGNING_OPTIONS_H
#define EXHIBIT_SIGNING_OPTIONS_H

#include "common/signature.h"

/* Identifiers that no program's own options use. */
enum {
    OPT_SIGN_KEY = 1000,
    OPT_SIGN_CERT,
    OPT_PASSPHRASE_FILE,
    OPT_PASSPHRASE_FD,
};

#define SIGNING_OPTIONS                                                                            \
    {"sign-key", 0, "FILE", OPT_SIGN_KEY,                                                          \
     "sign with this private key: PEM, PKCS#12, or a URI\nthat OpenSSL knows (pkcs11:…)"},         \
        {"sign-cert", 0, "FILE", OPT_SIGN_CERT,                                                    \
         "the certificate of the key, and those above it\n(default: they are where the key is)"},  \
        {"passphrase-file", 0, "FILE", OPT_PASSPHRASE_FILE,                                        \
         "the key's passphrase is the first line of FILE\n(default: it is asked for)"},            \
    {                                                                                              \
        "passphrase-fd", 0, "N", OPT_PASSPHRASE_FD, "the same from an open descriptor"             \
    }

#define SIGNER_SPEC_NONE                                                                           \
    (struct signer_spec)                                                                           \
    {                                                                                              \
        .passphrase_fd = -1                                                                        \
    }

/* 1: the option was one of these and is taken; 0: it is not; -1: wrong. */
int signing_option(struct signer_spec *spec, int id, const char *arg, struct err *err);

/* The address of a time stamp authority: http or https. */
int signing_check_tsa(const char *url, struct err *err);

/* After the last option: what cannot stand alone. */
int signing_check(const struct signer_spec *spec, struct err *err);

#endif
