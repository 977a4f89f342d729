#include "common/signing_options.h"

#include <fcntl.h>
#include <string.h>

#include "common/size.h"

int
signing_option(struct signer_spec *spec, int id, const char *arg, struct err *err)
{
    uint64_t n;

    switch (id) {
    case OPT_SIGN_KEY:
        spec->key = arg;
        return 1;
    case OPT_SIGN_CERT:
        spec->cert = arg;
        return 1;
    case OPT_PASSPHRASE_FILE:
        spec->passphrase_file = arg;
        return 1;
    case OPT_PASSPHRASE_FD:
        if (number_parse(arg, 0, INT16_MAX, "option '--passphrase-fd'", &n, err) != 0)
            return -1;
        spec->passphrase_fd = (int)n;
        if (fcntl(spec->passphrase_fd, F_GETFD) < 0)
            return err_set(err, OUTCOME_USAGE,
                           "option '--passphrase-fd': nothing is open there (%d)",
                           spec->passphrase_fd);
        return 1;
    default:
        return 0;
    }
}

int
signing_check(const struct signer_spec *spec, struct err *err)
{
    if (spec->key)
        return 0;
    if (spec->cert || spec->passphrase_file || spec->passphrase_fd >= 0)
        return err_set(err, OUTCOME_USAGE,
                       "a certificate or a passphrase without '--sign-key' signs nothing");
    return 0;
}

int
signing_check_tsa(const char *url, struct err *err)
{
    static const char *const schemes[] = {"http://", "https://"};

    for (size_t i = 0; i < sizeof schemes / sizeof schemes[0]; i++) {
        size_t n = strlen(schemes[i]);

        if (strncmp(url, schemes[i], n) == 0 && url[n] != '\0')
            return 0;
    }
    return err_set(err, OUTCOME_USAGE,
                   "option '--tsa': '%s' is no address of a time stamp authority (http://… or "
                   "https://…)",
                   url);
}
