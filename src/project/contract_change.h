/* contract_change.h: whether an enforced contract was broken since the state: columns gone or of another type, constraints or enforcement removed.
 *
 * As in dbt it is looked at where `state:modified` (or .contract) is selected: a versioned model fails the command, an unversioned one warns
 * (UnversionedBreakingChange). Additions break nothing; neither does another length or precision of a type.
 */
#ifndef TN_PROJECT_CONTRACT_CHANGE_H
#define TN_PROJECT_CONTRACT_CHANGE_H

#include "project/previous.h"

/* Every model that is in both; warnings become notices of the project. */
tn_rc tn_contracts_check(tn_project *p, const tn_previous *state, tn_err *err) TN_MUSTUSE;

#endif
