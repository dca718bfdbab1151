/** The styles of all pages behind the sign-in. */
import './fields.css'
import './office.css'
import './enterprise.css'
