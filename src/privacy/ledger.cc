#include "oa/privacy/ledger.h"
