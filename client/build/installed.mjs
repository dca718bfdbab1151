// Before types are checked: the packages are those of the lock. After a pull that brought a package they are installed.
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'

const stamp = 'node_modules/.installed'
const digest = createHash('sha256').update(readFileSync('package-lock.json')).digest('hex')
if (!existsSync(stamp) || readFileSync(stamp, 'utf8') !== digest) {
  console.error('Installing the packages of the client (package-lock.json has changed; takes a minute)')
  const npm = process.env.npm_execpath
  const [command, before] = npm?.endsWith('.js') ? [process.execPath, [npm]] : ['npm', []]
  execFileSync(command, [...before, 'ci', '--ignore-scripts', '--no-audit', '--no-fund', '--silent'], { stdio: ['ignore', 2, 2] })
  writeFileSync(stamp, digest)
}
