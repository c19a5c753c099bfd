# Shared by the other scripts; to be sourced.
SCRIPT_DIR="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
DOCKER_DIR="${DOCKER_DIR:-$SCRIPT_DIR}"
BACKUP_DIR="${BACKUP_DIR:-$DOCKER_DIR/backups}"
RED='\033[0;31m'; GREEN='\033[0;32m'; YELLOW='\033[1;33m'; NC='\033[0m'
info() { echo -e "${GREEN}[INFO]${NC} $1"; }
warn() { echo -e "${YELLOW}[WARN]${NC} $1"; }
error() { echo -e "${RED}[ERROR]${NC} $1"; }
cd "$DOCKER_DIR"
[ -f .env ] && source .env
POSTGRES_USER="${POSTGRES_USER:-pagodirecto}"
POSTGRES_DB="${POSTGRES_DB:-pagodirecto_crm}"
