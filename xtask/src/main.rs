//! The command line of this repository.

fn main() -> std::process::ExitCode {
    infra_lib::cli::main()
}
