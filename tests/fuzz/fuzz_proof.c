/* Signatures and time stamps of any bytes are judged without harm, and none of them fits. */
#include <stdint.h>

#include "common/signature.h"
#include "common/timestamp.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    static const char text[] = "what was never signed";
    struct signature_facts signature;
    struct timestamp_facts stamp;

    signature_check(data, n, text, sizeof text, NULL, 0, &signature);
    if (signature.trusted)
        abort();
    signature_facts_clear(&signature);
    timestamp_check(data, n, text, sizeof text, NULL, &stamp);
    if (stamp.trusted)
        abort();
    timestamp_facts_clear(&stamp);
    return 0;
}
