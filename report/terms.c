#include "report/terms.h"

const char *const part_state_names[3] = {"allocated", "unallocated", "meta"};
const char *const gpt_copy_names[GPT_COPIES] = {"primary", "backup"};
const char *const fs_state_names[3] = {"unknown", "clean", "dirty"};
