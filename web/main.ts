/** The page of `coop serve`. */
import './main.css'

document.title = 'coop'
