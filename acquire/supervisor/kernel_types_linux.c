#include "acquire/supervisor/kernel_types.h"

#include <bpf/btf.h>
#include <bpf/libbpf.h>

bool
kernel_has_type(const struct btf *kernel, const char *module, const char *name, uint32_t kind)
{
    struct btf *of_module;
    bool has = btf__find_by_name_kind(kernel, name, kind) >= 0;

    if (has || !module)
        return has;
    of_module = btf__load_module_btf(module, (struct btf *)(uintptr_t)kernel);
    has = of_module && btf__find_by_name_kind(of_module, name, kind) >= 0;
    btf__free(of_module);
    return has;
}

static int
say_nothing(enum libbpf_print_level level, const char *format, va_list args)
{
    (void)level;
    (void)format;
    (void)args;
    return 0;
}

void
kernel_types_be_quiet(void)
{
    (void)libbpf_set_print(say_nothing);
}
