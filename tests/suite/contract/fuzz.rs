//! A fuzzer with the contract, as each demo account.

use postern_tests::{App, tests_on};

use super::{KillOnDrop, run_script};
use crate::audit::start_worker;

// Each database, role and tier is fuzzed once; `make fuzz` runs all combinations.
tests_on! { sqlite_org, Sqlite: fuzz_as_org_owner, fuzz_as_org_viewer }
tests_on! { sqlite_staff, Sqlite: fuzz_as_support, fuzz_as_operations }
tests_on! { postgres_org, Postgres: fuzz_as_org_admin, fuzz_as_org_member }
tests_on! { postgres_staff, Postgres: fuzz_as_engineering, fuzz_as_super_admin }

/// Fixed seed, so that every run sends the same requests.
const SEED: &str = "20261121";

/// Maximum number of generated examples per operation.
const EXAMPLES: &str = "3";

macro_rules! fuzz_tests {
    ($($name:ident = $email:literal),+ $(,)?) => {
        $(async fn $name(t: &App) {
            let _worker = KillOnDrop(start_worker(t));
            run_script(t, "fuzz.sh", &[], &[$email, SEED, EXAMPLES]).await;
        })+
    };
}

fuzz_tests! {
    fuzz_as_org_owner = "owner@acme.example",
    fuzz_as_org_admin = "admin@acme.example",
    fuzz_as_org_member = "member@acme.example",
    fuzz_as_org_viewer = "viewer@acme.example",
    fuzz_as_support = "support@postern.example",
    fuzz_as_operations = "ops@postern.example",
    fuzz_as_engineering = "eng@postern.example",
    fuzz_as_super_admin = "super@postern.example",
}
